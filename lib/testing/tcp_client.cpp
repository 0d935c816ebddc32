// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/client.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace graceful::testing {
namespace {

class exchange_client final : public client {
 public:
  exchange_client(exchange_load what, connector& to) : what_{std::move(what)}, to_{to} {}

  answer request() override {
    const deadline until{to_.timeout()};
    // Only requests that end well keep it.
    std::optional<client_socket> socket = std::exchange(kept_, {});
    if (!socket) socket.emplace(to_.connect(until));
    socket->send(what_.request, until);
    read(*socket, until);
    const auto complete = deadline::clock::now();
    const auto generation = what_.generation ? what_.generation(reply_) : 0;
    if (what_.keep_alive) kept_ = std::move(socket);
    return {generation, complete};
  }

 private:
  void read(client_socket& socket, deadline until) {
    reply_.clear();
    std::array<char, 16'384> buffer;
    while (true) {
      const std::size_t size = socket.receive(buffer, until);
      if (size == 0) {
        lose(loss::cut_short,
             reply_.empty() ? "closed before the reply" : "closed within the reply");
      }
      reply_.append(buffer.data(), size);
      switch (what_.judge ? what_.judge(reply_) : compare()) {
        case verdict::incomplete:
          break;
        case verdict::good:
          return;
        case verdict::bad:
          lose(loss::other, "not the reply wanted, " + std::to_string(reply_.size()) + " bytes");
      }
    }
  }

  [[nodiscard]] verdict compare() const {
    if (reply_ == what_.reply) return verdict::good;
    return what_.reply.starts_with(reply_) ? verdict::incomplete : verdict::bad;
  }

  const exchange_load what_;
  connector& to_;
  std::optional<client_socket> kept_;
  std::string reply_;
};

class connect_client final : public client {
 public:
  connect_client(bool abort, connector& to) : abort_{abort}, to_{to} {}

  answer request() override {
    client_socket socket = to_.connect(to_.timeout());
    const auto complete = deadline::clock::now();
    if (abort_) socket.abort();
    return {.complete = complete};
  }

 private:
  const bool abort_;
  connector& to_;
};

}  // namespace

std::unique_ptr<client> make_client(const exchange_load& what, connector& to, pauses& /*pace*/) {
  return std::make_unique<exchange_client>(what, to);
}

std::unique_ptr<client> make_client(const connect_load& what, connector& to, pauses& /*pace*/) {
  return std::make_unique<connect_client>(what.abort, to);
}

}  // namespace graceful::testing
