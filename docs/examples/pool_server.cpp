// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// An HTTP/1.1 server with keep-alive on several threads that can be upgraded, by means of
// graceful::server. What it takes is a session and, in serve(), two statements; http_server.cpp
// shows what happens inside, and a session that is more careful about idle connections.
#include <graceful.hpp>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/program_options.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <unistd.h>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace po = boost::program_options;
using asio::ip::tcp;

namespace {

/// What all sessions share.
struct vars {
  std::string greeting = "hello";
};

/// One connection. It stays on the thread that it was given, so it needs no strand.
class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, vars& shared, graceful::upgrader& up)
      : stream_{std::move(socket)},
        vars_{shared},
        served_by_{"gen-" + std::to_string(up.generation()) + "-pid-" + std::to_string(::getpid())},
        token_{up.track(stream_.get_executor(), [this](graceful::drain_stage stage) {
          if (stage != graceful::drain_stage::draining) stream_.close();
        })} {}

  void start() {
    asio::co_spawn(
        stream_.get_executor(), [self = shared_from_this()] { return self->run(); },
        asio::detached);
  }

 private:
  asio::awaitable<void> run() {
    for (bool keep = true; keep;) {
      http::request<http::string_body> request;
      stream_.expires_after(std::chrono::seconds{60});
      token_.idle(true);
      auto [error, size] = co_await http::async_read(stream_, buffer_, request, as_result);
      token_.idle(false);
      if (error) co_return;

      http::response<http::string_body> response{http::status::ok, request.version()};
      response.set("X-Served-By", served_by_);
      response.body() = vars_.greeting + '\n';
      response.keep_alive(request.keep_alive() && !token_.draining());
      response.prepare_payload();
      std::tie(error, size) = co_await http::async_write(stream_, response, as_result);
      keep = !error && response.keep_alive();
    }
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  static constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  const vars& vars_;
  const std::string served_by_;
  graceful::connection token_;  // the last: its handler uses the others
};

/// Where main() puts the command line.
struct arguments {
  graceful::options upgrade{.name = "pool_server"};
  graceful::server_params serving;
  std::string address = "127.0.0.1";
  unsigned short port = 8080;
};

int serve(arguments args) {
  args.serving.on_ready = [](graceful::upgrader& up, const tcp::endpoint& bound) {
    std::cout << "listening on " << bound << "\nready: generation " << up.generation() << " pid "
              << ::getpid() << std::endl;
  };
  graceful::server<session, vars> server{args.upgrade, args.serving};
  return server.listen_and_serve(args.address, args.port);  // logs what goes wrong
}

po::options_description options(arguments& args) {
  const auto time = [](std::chrono::milliseconds& target) {
    return po::value<std::string>()->value_name("TIME")->notifier(
        [&target](const std::string& text) { target = graceful::parse_duration(text).value(); });
  };
  po::options_description all{"Usage: pool_server [OPTIONS]"};
  all.add_options()  //
      ("listen",
       po::value<std::string>()->value_name("ADDRESS:PORT")->notifier([&](const std::string& text) {
         const auto colon = text.rfind(':');
         args.address = text.substr(0, colon);
         args.port = colon == text.npos
                         ? args.port
                         : boost::lexical_cast<unsigned short>(text.substr(colon + 1));
       }),
       "where to listen (default: 127.0.0.1:8080)")  //
      ("threads", po::value<std::size_t>()->value_name("N")->notifier([&](std::size_t n) {
        args.serving.threads = n;
      }),
       "how many (default: one a processor)")  //
      ("reuse-port", po::bool_switch(&args.serving.listen.reuse_port),
       "a listening socket for each thread")  //
      ("control", po::value(&args.upgrade.control_path)->value_name("PATH"),
       "path of the control socket")  //
      ("name", po::value(&args.upgrade.name)->value_name("NAME"),
       "what graceful-ctl calls this server (default: pool_server)")  //
      ("takeover", po::bool_switch(&args.upgrade.takeover),
       "take over from the server that runs already")  //
      ("probation", time(args.upgrade.probation),
       "how long this process can go on after a successor is ready (default: 5s)")  //
      ("drain", time(args.upgrade.drain_timeout),
       "how long connections have to end, then they are cut (default: 5min)")  //
      ("idle-grace", time(args.upgrade.idle_grace),
       "how long an idle connection stays open in drain (default: 5s)")  //
      ("help,h", "print this and exit");
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  // Standard output is inherited from the predecessor; whoever read it may have gone.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    arguments args;
    const auto known = options(args);
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(known).positional({}).run(), values);
    po::notify(values);
    if (values.count("help") != 0) {
      std::cout << known;
      return 0;
    }
    return serve(std::move(args));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pool_server: %s; see pool_server --help\n", e.what());
    return 2;
  }
}
