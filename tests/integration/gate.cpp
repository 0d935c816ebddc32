// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"

#include <graceful/unique_fd.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful_test {

gate::gate(scene& where) : path_{where.path("gate")} {
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error{"mkfifo failed"};
}

std::vector<std::string> gate::server(const std::string& control, std::uint16_t port) const {
  return {programs::gated_server(), control, std::to_string(port), path_};
}

std::vector<std::string> gate::upgrade(const server_fixture& s) const {
  std::vector<std::string> argv{
      programs::graceful_ctl(), "upgrade", s.control(), "--timeout", "60", "--"};
  const auto command = server(s.control(), s.port());
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

process& gate::start_upgrade(server_fixture& s) const { return s.scene().start(upgrade(s)); }

void gate::open() const { say("open\n"); }

void gate::give_up() const { say("give up\n"); }

void gate::say(std::string_view line) const {
  const auto is_heard = [&] {
    // A blocking open would hang if the server has died.
    const graceful::unique_fd fd{::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    return fd && ::write(fd.get(), line.data(), line.size()) > 0;
  };
  if (!eventually(is_heard, patience)) throw std::runtime_error{"nobody waits at the gate"};
}

}  // namespace graceful_test
