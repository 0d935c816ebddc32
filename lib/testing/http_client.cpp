// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/client.hpp"
#include "testing/http_reply.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace graceful::testing {
namespace {

constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

/// The number of bytes at a time, and the pause after each.
struct steps {
  std::size_t bytes = all;
  std::chrono::nanoseconds pause{};
};

struct manner {
  std::string request;
  std::string served_by;
  bool keep_alive{};
  bool patient{};  // the timeout applies to each wait, not to the whole request
  steps send{};
  steps read{};
};

template <class Load>
std::string make_request(const Load& what, bool keep_alive) {
  const bool ipv6 = what.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + what.host + "]" : what.host;
  return "GET " + what.path + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(what.port) +
         "\r\n" + (keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

class http_client final : public client {
 public:
  http_client(manner how, connector& to, pauses& pace)
      : how_{std::move(how)}, to_{to}, pace_{pace} {}

  answer request() override {
    const deadline whole{to_.timeout()};
    const auto until = [&] { return how_.patient ? deadline{to_.timeout()} : whole; };
    // Only requests that end well keep it.
    std::optional<client_socket> socket = std::exchange(kept_, {});
    if (!socket) socket.emplace(to_.connect(until(), how_.read.bytes == all ? 0 : slow_buffer));
    send(*socket, until);
    const http_response response = read(*socket, until);
    const auto complete = deadline::clock::now();
    if (response.closes || !how_.keep_alive) {
      socket->await_close(until());
    } else {
      kept_ = std::move(socket);
    }
    return {response.generation, complete};
  }

 private:
  // The kernel's default would take in a long reply at once, and the server would not notice the
  // slow reader.
  static constexpr int slow_buffer = 4096;

  template <class Until>
  void send(client_socket& socket, const Until& until) {
    for (std::string_view rest = how_.request; !rest.empty();) {
      const auto piece = rest.substr(0, how_.send.bytes);
      socket.send(piece, until());
      rest.remove_prefix(piece.size());
      if (!rest.empty()) pause(how_.send);
    }
  }

  template <class Until>
  http_response read(client_socket& socket, const Until& until) {
    http_reply reply{how_.served_by};
    std::array<char, 16'384> buffer;
    while (true) {
      const auto step = std::min(buffer.size(), how_.read.bytes);
      const std::size_t size = socket.receive({buffer.data(), step}, until());
      if (size == 0) reply.closed();
      reply.take({buffer.data(), size});
      if (reply.complete()) return reply.response();
      pause({how_.read.bytes, how_.read.pause * size / step});
    }
  }

  void pause(const steps& by) {
    if (by.bytes != all) pace_.until(deadline::clock::now() + by.pause);
  }

  const manner how_;
  connector& to_;
  pauses& pace_;
  std::optional<client_socket> kept_;
};

steps at_rate(std::size_t bytes_per_second) {
  if (bytes_per_second == 0) return {};
  // Twenty steps a second are smooth enough; limited to what the buffer holds.
  const std::size_t bytes = std::clamp<std::size_t>(bytes_per_second / 20, 1, 16'384);
  return {bytes, std::chrono::nanoseconds{1'000'000'000 * bytes / bytes_per_second}};
}

steps of(std::size_t bytes, std::chrono::milliseconds pause) {
  return {bytes == 0 ? all : bytes, pause};
}

}  // namespace

std::unique_ptr<client> make_client(const http_load& what, connector& to, pauses& pace) {
  return std::make_unique<http_client>(manner{.request = make_request(what, what.keep_alive),
                                              .served_by = what.served_by,
                                              .keep_alive = what.keep_alive},
                                       to, pace);
}

std::unique_ptr<client> make_client(const stream_load& what, connector& to, pauses& pace) {
  return std::make_unique<http_client>(manner{.request = make_request(what, false),
                                              .served_by = what.served_by,
                                              .patient = true,
                                              .read = at_rate(what.bytes_per_second)},
                                       to, pace);
}

std::unique_ptr<client> make_client(const slow_load& what, connector& to, pauses& pace) {
  return std::make_unique<http_client>(manner{.request = make_request(what, what.keep_alive),
                                              .served_by = what.served_by,
                                              .keep_alive = what.keep_alive,
                                              .patient = true,
                                              .send = of(what.send_bytes, what.send_pause),
                                              .read = of(what.read_bytes, what.read_pause)},
                                       to, pace);
}

}  // namespace graceful::testing
