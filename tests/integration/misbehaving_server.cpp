// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// misbehaving_server CONTROL FLAW: an HTTP server with a flaw, for tests of the test kit. FLAW is
// one of
//   none
//   leak       a successor opens one descriptor more, which an exec would pass on
//   socket, epoll, thread, zombie, child, orphan
//              a successor has one more of these: the orphan is a process without a parent
//   litter     a successor leaves a file in the directory of the control socket
//   refuse     a successor shuts the listening socket down
//   cut        a successor closes its connections without an answer
//   stale      a successor says that its predecessor answers
//   usurp      a successor kills its predecessor in the probation
//   unready    a successor never calls ready()
//   starting   nor does the first process
#include <graceful.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

asio::awaitable<void> answer(tcp::socket socket, std::string response) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n",
                                  asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(response), asio::use_awaitable);
}

asio::awaitable<void> serve(graceful::acceptor<tcp> acceptor, std::string response) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;
    if (ec || response.empty()) continue;
    asio::co_spawn(acceptor.get_executor(), answer(std::move(socket), response), asio::detached);
  }
}

/// The TCP listeners, not the control socket.
void shut_listeners_down() {
  for (int fd = 0; fd < 64; ++fd) {
    int listens = 0, domain = 0;
    socklen_t length = sizeof listens;
    ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
    if (listens != 0 && domain == AF_INET) ::shutdown(fd, SHUT_RDWR);
  }
}

void start_sleeper(bool orphan) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!orphan || ::fork() == 0) ::execlp("sleep", "sleep", "600", nullptr);
    ::_exit(0);
  }
  if (orphan) ::waitpid(child, nullptr, 0);
}

/// Leaks one more of what `leaks()` counts.
void leak(const std::string& what) {
  if (what == "leak") (void)::open("/dev/null", O_RDONLY);
  if (what == "socket") (void)::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (what == "epoll") {
    epoll_event never{};
    ::epoll_ctl(::epoll_create1(EPOLL_CLOEXEC), EPOLL_CTL_ADD, ::eventfd(0, EFD_CLOEXEC), &never);
  }
  if (what == "thread")
    std::thread{[] {
      for (;;) ::pause();
    }}.detach();
  if (what == "zombie" && ::fork() == 0) ::_exit(0);
  if (what == "child" || what == "orphan") start_sleeper(what == "orphan");
}

void run(const std::string& control, std::string flaw) {
  asio::io_context io;
  graceful::upgrader up{io,
                        {.name = "misbehaving",
                         .control_path = control,
                         .probation = std::chrono::milliseconds{flaw == "usurp" ? 60'000 : 0}}};
  if (up.generation() == 1 && flaw != "starting") flaw = "none";
  std::string response =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nX-Served-By: gen-" +
      std::to_string(up.generation() - (flaw == "stale" ? 1 : 0)) + "\r\n\r\n";
  if (flaw == "cut") response.clear();
  auto acceptor = up.listen<tcp>("http", {asio::ip::address_v4::loopback(), 0});
  up.handle_signals();
  std::fprintf(stderr, "generation %d here\n", static_cast<int>(up.generation()));
  if (flaw == "unready" || flaw == "starting") ::pause();
  leak(flaw);
  if (flaw == "litter") std::ofstream{control + ".litter"} << "left";
  if (flaw == "refuse") shut_listeners_down();
  const pid_t predecessor = ::getppid();
  up.ready();
  if (flaw == "usurp") ::kill(predecessor, SIGKILL);
  asio::co_spawn(io, serve(acceptor, response), asio::detached);
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    run(argv[1], argv[2]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "misbehaving_server: %s\n", e.what());
    return 1;
  }
}
