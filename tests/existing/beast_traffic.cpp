// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "conversations.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace graceful_existing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::chrono::seconds timeout{10};

tcp::endpoint local(std::uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

class over_asio : public conversation {
 protected:
  void run(asio::awaitable<void> steps) {
    io_.restart();
    auto done = asio::co_spawn(io_, std::move(steps), asio::use_future);
    io_.run_for(timeout);
    if (done.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      throw std::runtime_error{"no answer"};
    }
    done.get();
  }

  asio::io_context io_{1};
};

class websocket_conversation final : public over_asio {
 public:
  explicit websocket_conversation(std::uint16_t port) { run(open(port)); }
  void exchange(bool last) override { run(echo(last)); }

 private:
  asio::awaitable<void> open(std::uint16_t port) {
    co_await stream_.next_layer().async_connect(local(port), use_awaitable);
    co_await stream_.async_handshake("localhost", "/", use_awaitable);
  }

  asio::awaitable<void> echo(bool last) {
    constexpr std::string_view text = "hello";
    co_await stream_.async_write(asio::buffer(text), use_awaitable);
    beast::flat_buffer reply;
    co_await stream_.async_read(reply, use_awaitable);
    if (beast::buffers_to_string(reply.data()) != text) throw std::runtime_error{"no echo"};
    if (last) co_await stream_.async_close(websocket::close_code::normal, use_awaitable);
  }

  websocket::stream<tcp::socket> stream_{io_};
};

class https_conversation final : public over_asio {
 public:
  explicit https_conversation(std::uint16_t port) { run(open(port)); }
  void exchange(bool last) override { run(get(last)); }

 private:
  asio::awaitable<void> open(std::uint16_t port) {
    co_await stream_.next_layer().async_connect(local(port), use_awaitable);
    co_await stream_.async_handshake(asio::ssl::stream_base::client, use_awaitable);
  }

  asio::awaitable<void> get(bool last) {
    http::request<http::empty_body> request{http::verb::get, "/", 11};
    request.set(http::field::host, "localhost");
    request.keep_alive(!last);
    co_await http::async_write(stream_, request, use_awaitable);
    http::response<http::string_body> response;
    co_await http::async_read(stream_, buffer_, response, use_awaitable);
    if (response.result() != http::status::ok) throw std::runtime_error{"another status than 200"};
    if (last) {
      boost::system::error_code ignored;  // the server may have closed already
      co_await stream_.async_shutdown(asio::redirect_error(use_awaitable, ignored));
    }
  }

  asio::ssl::context context_{asio::ssl::context::tlsv12_client};
  asio::ssl::stream<tcp::socket> stream_{io_, context_};
  beast::flat_buffer buffer_;
};

template <class Conversation>
std::unique_ptr<traffic> start(std::uint16_t port, connections how) {
  return std::make_unique<conversations>([port] { return std::make_unique<Conversation>(port); },
                                         how);
}

}  // namespace

std::unique_ptr<traffic> websocket_traffic(std::uint16_t port, connections how) {
  return start<websocket_conversation>(port, how);
}

std::unique_ptr<traffic> https_traffic(std::uint16_t port, connections how) {
  return start<https_conversation>(port, how);
}

}  // namespace graceful_existing
