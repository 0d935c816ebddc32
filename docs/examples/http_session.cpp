// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "http_session.hpp"

#include <graceful/upgrader.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <cstddef>
#include <tuple>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto idle_timeout = 60s;
constexpr auto transfer_timeout = 60s;  // of a request, and of a response
constexpr auto linger_timeout = 2s;
constexpr std::size_t body_limit = 65'536;
constexpr std::size_t buffer_limit = 131'072;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// Worth an answer: the peer is there, but speaks no HTTP.
bool malformed(error_code ec) {
  const error_code by_parser = http::error::bad_method;
  return ec.category() == by_parser.category() && ec != http::error::end_of_stream &&
         ec != http::error::partial_message;
}

/// One connection. Everything but its construction happens on its strand.
class http_session {
 public:
  http_session(tcp::socket socket, std::shared_ptr<http_service> service)
      : service_{std::move(service)},
        stream_{std::move(socket)},
        timer_{stream_.get_executor()},
        token_{service_->upgrader().track(
            stream_.get_executor(), [this](graceful::drain_stage stage) { on_drain(stage); })} {}

  asio::awaitable<void> run();

  [[nodiscard]] asio::any_io_executor executor() { return stream_.get_executor(); }

 private:
  using request = http::request<http::string_body>;
  using response = http::response<http::string_body>;

  void on_drain(graceful::drain_stage stage);
  asio::awaitable<bool> request_begins();
  asio::awaitable<bool> answer_request();
  asio::awaitable<void> close();
  bool has_input();
  response respond(const request& to) const;
  response make_response(http::status status, unsigned version) const;

  const std::shared_ptr<http_service> service_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_{buffer_limit};
  bool let_go_ = false;         // as soon as no request is there
  graceful::connection token_;  // the last: its handler uses all the others
};

/// That this process drains is said in the next response, which asks the token itself.
void http_session::on_drain(graceful::drain_stage stage) {
  if (stage == graceful::drain_stage::draining) return;
  let_go_ = true;
  timer_.cancel();
  if (stage == graceful::drain_stage::deadline) stream_.close();
}

asio::awaitable<void> http_session::run() {
  error_code ec;
  stream_.socket().set_option(tcp::no_delay{true}, ec);
  stream_.socket().non_blocking(true, ec);  // for has_input()
  if (ec) co_return;
  while (co_await request_begins()) {  // no && of two: GCC 12 gets that wrong
    if (!co_await answer_request()) break;
  }
  co_await close();
}

/// False once the connection has been idle for too long.
asio::awaitable<bool> http_session::request_begins() {
  using namespace asio::experimental::awaitable_operators;
  // Waits for the first byte without reading it: whoever ends a read, by a timeout or because the
  // process drains, may lose what it has read.
  timer_.expires_after(idle_timeout);
  token_.idle(true);
  while (buffer_.size() == 0 && !has_input()) {
    if (let_go_ || timer_.expiry() <= asio::steady_timer::clock_type::now()) co_return false;
    co_await (stream_.socket().async_wait(tcp::socket::wait_read, as_result) ||
              timer_.async_wait(as_result));
  }
  token_.idle(false);
  co_return true;
}

/// End-of-file and errors are input too, for the read to find.
bool http_session::has_input() {
  char byte{};
  error_code ec;
  stream_.socket().receive(asio::buffer(&byte, 1), tcp::socket::message_peek, ec);
  return ec != asio::error::would_block;
}

/// False if the connection has to be closed.
asio::awaitable<bool> http_session::answer_request() {
  http::request_parser<http::string_body> parser;
  parser.body_limit(body_limit);
  stream_.expires_after(transfer_timeout);
  auto [ec, size] = co_await http::async_read(stream_, buffer_, parser, as_result);
  if (ec && !malformed(ec)) co_return false;

  response answer;
  if (ec) {
    answer = make_response(http::status::bad_request, 11);
    answer.keep_alive(false);
  } else {
    if (service_->settings().work > 0ms) {
      timer_.expires_after(service_->settings().work);
      co_await timer_.async_wait(as_result);
    }
    answer = respond(parser.get());
  }
  stream_.expires_after(transfer_timeout);
  std::tie(ec, size) = co_await http::async_write(stream_, answer, as_result);
  co_return !ec && answer.keep_alive();
}

http_session::response http_session::respond(const request& to) const {
  const bool head = to.method() == http::verb::head;
  const bool good = head || to.method() == http::verb::get;
  response answer =
      make_response(good ? http::status::ok : http::status::method_not_allowed, to.version());
  if (good && to.target() == "/metrics") {
    answer.set(http::field::content_type,
               "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.body() = service_->upgrader().metrics();
    answer.content_length(answer.body().size());
  }
  if (head) answer.body().clear();  // but Content-Length stays what GET would get
  if (!good) answer.set(http::field::allow, "GET, HEAD");
  // Asked as late as possible: a client that keeps its connection beyond this answer has to find
  // somebody there.
  answer.keep_alive(to.keep_alive() && !token_.draining());
  return answer;
}

http_session::response http_session::make_response(http::status status, unsigned version) const {
  const http_settings& settings = service_->settings();
  response answer{status, version};
  answer.set(http::field::server, "graceful-example");
  answer.set("X-Served-By", settings.served_by);
  answer.set(http::field::content_type, "text/plain");
  answer.body() = settings.body;
  answer.content_length(settings.body.size());
  return answer;
}

/// Closes our half and waits for the peer to close its own. Closed at once, a socket answers what
/// is still under way to it with a reset, and that takes the last response from the peer too.
asio::awaitable<void> http_session::close() {
  error_code ec;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ec);
  stream_.expires_after(linger_timeout);  // of all reads together
  while (!ec) {
    buffer_.clear();
    std::tie(ec, std::ignore) =
        co_await stream_.async_read_some(buffer_.prepare(buffer_limit / 2), as_result);
  }
}

}  // namespace

void http_service::serve(tcp::socket socket) {
  auto session = std::make_shared<http_session>(std::move(socket), shared_from_this());
  asio::co_spawn(
      session->executor(), [session] { return session->run(); }, asio::detached);
}
