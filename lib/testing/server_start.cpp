// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/server_start.hpp"

#include "testing/process_table.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

/// Two changes that no event reports: an existing socket begins to listen, and a server that
/// answers has called ready().
constexpr int untold = 5;

}  // namespace

server_start::server_start(std::string control, const std::string& directory)
    : control_{std::move(control)}, changes_{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)} {
  if (!changes_ ||
      ::inotify_add_watch(changes_.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO) < 0) {
    throw std::system_error{errno, std::system_category(), directory};
  }
}

server_status server_start::wait(process& server, std::chrono::milliseconds patience) {
  const deadline until{patience};
  const auto pidfd = open_pidfd(server.pid());
  std::string last = "its control socket, " + control_ +
                     ", is not there: is the program linked with graceful, and is {control} in "
                     "its command or environment?";
  while (!until.passed()) {
    bool there = ::access(control_.c_str(), F_OK) == 0;
    if (there) {
      auto client = control_client::connect(control_, patience);
      auto status = client ? client->status() : result<server_status>{client.error()};
      if (status && status->state == "serving") return *status;
      last = status ? "it says that it is " + status->state + ": does it call ready()?"
                    : "its control socket: " + status.error().message;
    }
    std::array<pollfd, 2> entries{{{pidfd.get(), POLLIN, 0}, {changes_.get(), POLLIN, 0}}};
    ::poll(entries.data(), entries.size(), there ? untold : until.poll_timeout());
    std::array<char, 4096> ignored;
    while (::read(changes_.get(), ignored.data(), ignored.size()) > 0) continue;
    if (entries[0].revents != 0) {
      const auto end = server.wait_exit(until);
      throw std::runtime_error{server.program() + " " + end.to_string() +
                               " before it served; it wrote:\n" + server.output()};
    }
  }
  throw std::runtime_error{server.program() + " does not serve after " +
                           std::to_string(patience.count()) + " ms; " + last + " It wrote:\n" +
                           server.output()};
}

}  // namespace graceful::testing
