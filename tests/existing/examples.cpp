// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "examples.hpp"

#include <string_view>
#include <utility>

namespace graceful_existing {
namespace {

using graceful::testing::verdict;

using words = std::vector<std::string>;

constexpr double requests_a_second = 100;

traffic_start get(connections how) {
  return [how](std::uint16_t port) {
    return make_traffic(graceful::testing::http_load{.port = port,
                                                     .connections = clients,
                                                     .rate = requests_a_second,
                                                     .keep_alive = how == connections::kept});
  };
}

graceful::testing::exchange_load exchange(std::uint16_t port, connections how,
                                          std::string request) {
  return {.port = port,
          .connections = clients,
          .rate = requests_a_second,
          .keep_alive = how == connections::kept,
          .request = std::move(request)};
}

traffic_start echo(connections how) {
  return [how](std::uint16_t port) {
    auto load = exchange(port, how, "a line\n");
    load.reply = load.request;
    return make_traffic(load);
  };
}

/// Asio's HTTP servers speak HTTP/1.0, and close after each reply.
std::unique_ptr<traffic> http_1_0(std::uint16_t port) {
  auto load = exchange(port, connections::one_each, "GET /index.html HTTP/1.0\r\n\r\n");
  load.judge = [](std::string_view reply) {
    constexpr std::string_view begin = "HTTP/1.0 200 ";
    if (!reply.starts_with(begin.substr(0, reply.size()))) return verdict::bad;
    return reply.ends_with("\r\n\r\nhello\n") ? verdict::good : verdict::incomplete;
  };
  return make_traffic(load);
}

/// A message comes back to all, and a new client gets the latest ones. Only one kept client:
/// messages of others would be taken for its reply.
traffic_start chat(connections how, std::string message) {
  return [how, message](std::uint16_t port) {
    auto load = exchange(port, how, message);
    load.connections = 1;
    load.judge = [own = load.request](std::string_view reply) {
      return reply.find(own) != reply.npos ? verdict::good : verdict::incomplete;
    };
    return make_traffic(load);
  };
}

template <std::unique_ptr<traffic> (*Start)(std::uint16_t, connections)>
traffic_start with(connections how) {
  return [how](std::uint16_t port) { return Start(port, how); };
}

}  // namespace

const std::map<std::string, example>& examples() {
  using enum connections;
  static const words any_port{"127.0.0.1:0"};
  static const words two_threads{"127.0.0.1", "0", "{directory}", "2"};
  static const std::map<std::string, example> all{
      {"asio_http_server", {words{"127.0.0.1", "0", "{directory}"}, http_1_0}},
      {"asio_http_server3", {words{"127.0.0.1", "0", "2", "{directory}"}, http_1_0}},
      {"asio_chat", {words{"0"}, chat(one_each, "   5brief"), chat(kept, "   4kept")}},
      {"asio_coroutine_chat", {words{"0"}, chat(one_each, "brief\n"), chat(kept, "kept\n")}},
      {"asio_async_echo", {words{"0"}, echo(one_each), echo(kept)}},
      {"asio_blocking_echo", {words{"0"}, echo(one_each), echo(kept)}},
      {"asio_coroutine_echo", {words{}, echo(one_each), echo(kept)}},
      {"beast_http_async", {two_threads, get(one_each), get(kept)}},
      {"beast_http_sync", {words{"127.0.0.1", "0", "{directory}"}, get(one_each), get(kept)}},
      {"beast_https_async",
       {two_threads, with<https_traffic>(one_each), with<https_traffic>(kept)}},
      {"beast_advanced", {two_threads, get(one_each), get(kept)}},
      {"beast_websocket_async",
       {words{"127.0.0.1", "0", "2"}, with<websocket_traffic>(one_each),
        with<websocket_traffic>(kept)}},
      {"beast_websocket_awaitable",
       {words{"127.0.0.1", "0", "2"}, with<websocket_traffic>(one_each),
        with<websocket_traffic>(kept)}},
      {"websocketpp_echo",
       {words{}, with<websocket_traffic>(one_each), with<websocket_traffic>(kept)}},
      {"loop_asyncio", {any_port, echo(one_each), echo(kept)}},
      {"loop_epoll", {any_port, echo(one_each), echo(kept)}},
      {"loop_httplib", {any_port, get(one_each), get(kept)}},
      {"loop_libevent", {any_port, echo(one_each), echo(kept)}},
      {"loop_libuv", {any_port, echo(one_each), echo(kept)}},
      {"loop_standalone_asio", {any_port, echo(one_each), echo(kept)}},
  };
  return all;
}

}  // namespace graceful_existing
