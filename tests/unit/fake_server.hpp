// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "wire/framer.hpp"
#include "wire/varlink.hpp"

#include "temporary_directory.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/socket.h>

namespace graceful_test {

inline const std::string good_status =
    R"({"parameters":{"name":"web","generation":3,"pid":812,"uptime_ms":5000,"state":"serving","connections":41,)"
    R"("version":"0.1.0",)"
    R"("listeners":[{"name":"http","address":"[::1]:80","queue":2,"backlog":9}]}})";

/// Takes one client, waits for one call, and answers with the given text, whatever the call is. If
/// it thinks, it pauses before each message but the first.
class fake_server {
 public:
  explicit fake_server(std::string words, bool then_close = true,
                       std::chrono::milliseconds thinks_for = std::chrono::milliseconds{0})
      : listener_{graceful::os::bind_control(path()).value()},
        thread_{[this, words = std::move(words), then_close, thinks_for] {
          serve(words, then_close, thinks_for);
        }} {}

  [[nodiscard]] std::string path() const { return directory_.path("s"); }

  graceful::control_client client(std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
    return graceful::control_client::connect(path(), deadline).value();
  }

  /// The call that came; available when the client has gone.
  graceful::wire::call heard() {
    thread_.join();
    return graceful::wire::parse_call(heard_).value();
  }

 private:
  void serve(const std::string& words, bool then_close, std::chrono::milliseconds thinks_for) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    if (!graceful::os::wait_readable(listener_.get(), until)) return;
    graceful::unique_fd client{
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    graceful::wire::framer framer{1 << 20};
    std::optional<std::string> call;
    while (!(call = framer.next()) && graceful::os::wait_readable(client.get(), until)) {
      graceful::os::inbox box;
      if (graceful::os::receive_now(client.get(), box).what == graceful::os::transfer::kind::closed)
        return;
      framer.feed(box.bytes);
    }
    heard_ = call.value_or("");
    std::string_view left = words;
    while (!left.empty() && graceful::os::wait_writable(client.get(), until)) {
      const auto one = thinks_for.count() > 0 ? left.find('\0') + 1 : left.size();
      const auto sent = graceful::os::send_now(client.get(), left.substr(0, one));
      if (sent.what == graceful::os::transfer::kind::closed) return;
      left.remove_prefix(sent.bytes);
      if (!left.empty()) std::this_thread::sleep_for(thinks_for);
    }
    if (then_close) return;
    graceful::os::inbox rest;  // until the client has seen enough
    while (graceful::os::wait_readable(client.get(), until) &&
           graceful::os::receive_now(client.get(), rest).what !=
               graceful::os::transfer::kind::closed) {
    }
  }

  temporary_directory directory_;
  graceful::unique_fd listener_;
  std::string heard_;
  std::jthread thread_;
};

}  // namespace graceful_test
