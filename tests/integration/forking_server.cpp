// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// forking_server --control PATH --listen 127.0.0.1:PORT --probation TIME [--user UID] [--pool]: an
// HTTP server that forks without an exec, as it is asked to. GET
//   /unwind    the child throws out of its handler, and returns from main()
//   /session   the child answers by itself, after io_context::notify_fork, and returns from main()
//   /stay      the child lives on, doing nothing
//   /clone     the same by clone(2), of which libc knows nothing
//   /          no child
// With --user it becomes that user when it listens.
#include <graceful.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <grp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::error_code;

namespace {

/// Thrown in a child, so that the stack unwinds to main().
struct in_child {};

struct arguments {
  std::string control;
  unsigned short port = 0;
  std::chrono::milliseconds probation{0};
  uid_t user = 0;
  bool pool = false;
};

arguments parse(int argc, char** argv) {
  arguments args;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--pool") args.pool = true;
    if (i + 1 == argc) break;
    const std::string value = argv[i + 1];
    if (option == "--control") args.control = value;
    if (option == "--listen") args.port = std::stoi(value.substr(value.rfind(':') + 1));
    if (option == "--probation") args.probation = graceful::parse_duration(value).value();
    if (option == "--user") args.user = static_cast<uid_t>(std::stoul(value));
  }
  return args;
}

[[noreturn]] void stay() {
  for (;;) ::pause();
}

/// The server's side of one connection.
class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, asio::io_context* io, std::string served_by,
          std::optional<graceful::acceptor<tcp>> acceptor)
      : socket_{std::move(socket)},
        io_{io},
        served_by_{std::move(served_by)},
        acceptor_{std::move(acceptor)} {}

  void start() {
    asio::async_read_until(socket_, asio::dynamic_buffer(request_), "\r\n\r\n",
                           [self = shared_from_this()](error_code ec, std::size_t) {
                             if (!ec) self->on_request();
                           });
  }

 private:
  void on_request() {
    pid_t child = 0;
    if (asks("/unwind")) {
      child = ::fork();
      if (child == 0) throw in_child{};
    } else if (asks("/session")) {
      io_->notify_fork(asio::io_context::fork_prepare);
      child = ::fork();
      if (child == 0) {
        io_->notify_fork(asio::io_context::fork_child);
        acceptor_->close();  // as Asio's example does
        return answer(::getpid(), true);
      }
      io_->notify_fork(asio::io_context::fork_parent);
      error_code ignored;
      socket_.close(ignored);
      return;
    } else if (asks("/stay")) {
      child = ::fork();
      if (child == 0) stay();
    } else if (asks("/clone")) {
      child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
      if (child == 0) stay();
    }
    answer(child, false);
  }

  [[nodiscard]] bool asks(const std::string& path) const {
    return request_.starts_with("GET " + path + " ");
  }

  void answer(pid_t child, bool last) {
    response_ =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nX-Served-By: " + served_by_ +
        "\r\nX-Child: " + std::to_string(child) + "\r\n\r\n";
    asio::async_write(socket_, asio::buffer(response_),
                      [self = shared_from_this(), last](error_code, std::size_t) {
                        if (last) throw in_child{};
                      });
  }

  tcp::socket socket_;
  asio::io_context* io_;
  std::string served_by_;
  std::optional<graceful::acceptor<tcp>> acceptor_;
  std::string request_;
  std::string response_;
};

void become(uid_t user) {
  if (user == 0 || ::geteuid() == user) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) {
    throw std::system_error{errno, std::system_category(), "cannot become another user"};
  }
}

struct accept_loop {
  void next() const {
    acceptor.async_accept([self = *this](error_code ec, tcp::socket socket) {
      if (ec == asio::error::operation_aborted) return self.ended();
      if (!ec) {
        std::make_shared<session>(std::move(socket), self.io, self.served_by, self.acceptor)
            ->start();
      }
      self.next();
    });
  }

  mutable graceful::acceptor<tcp> acceptor;
  asio::io_context* io;
  std::string served_by;
  std::function<void()> ended;
};

template <class Context>
void serve(const arguments& args, Context& context, asio::io_context* io,
           std::function<void()> ended) {
  graceful::upgrader up{
      context, {.name = "forking", .control_path = args.control, .probation = args.probation}};
  auto acceptor = up.listen<tcp>("http", {asio::ip::address_v4::loopback(), args.port});
  become(args.user);
  const auto served_by =
      "gen-" + std::to_string(up.generation()) + "-pid-" + std::to_string(::getpid());
  accept_loop{acceptor, io, served_by, std::move(ended)}.next();
  up.handle_signals();
  std::printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
  up.ready();
  std::printf("ready: generation %d pid %d\n", static_cast<int>(up.generation()), ::getpid());
  std::fflush(stdout);
  context.run();
}

void run(const arguments& args) {
  if (args.pool) {
    graceful::io_context_pool pool{2};
    return serve(args, pool, nullptr, [&] { pool.reset_work(); });
  }
  asio::io_context io;
  serve(args, io, &io, [] {});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
  } catch (const in_child&) {
    // Returns from main(), as a server does.
  } catch (const std::exception& e) {
    std::fprintf(stderr, "forking_server: %s\n", e.what());
    return 1;
  }
}
