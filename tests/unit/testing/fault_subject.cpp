// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What faults are tried on: a program that makes few calls, and says what it has done. It uses
// nothing but libc.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

void say(const std::string& text) {
  const std::string line = text + "\n";
  if (::write(1, line.data(), line.size()) < 0) ::_exit(99);
}

sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

int unix_socket(int flags = 0) { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0); }

int connected(const char* path, int flags = 0) {
  const int fd = unix_socket(flags);
  const auto address = address_of(path);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(98);
  return fd;
}

int listening(const char* path) {
  const int fd = unix_socket();
  const auto address = address_of(path);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(fd, 8);
  return fd;
}

/// mkdir(2) leaves something that can be seen after the process has ended.
void make_directories(const std::string& where, int count) {
  for (int i = 1; i <= count; ++i) {
    const bool made = ::mkdir((where + "/" + std::to_string(i)).c_str(), 0700) == 0;
    say("made " + std::to_string(i) + (made ? "" : ": " + std::string{std::strerror(errno)}));
  }
}

/// One directory for each SIGUSR1.
void make_when_told(const std::string& where) {
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  say("waiting");
  for (int i = 1;; ++i) {
    int number = 0;
    ::sigwait(&usr1, &number);
    ::mkdir((where + "/" + std::to_string(i)).c_str(), 0700);
    say("made " + std::to_string(i));
  }
}

void keep_errno(const std::string& where) {
  errno = 77;
  (void)::mkdir((where + "/1").c_str(), 0700);
  const int after_success = errno;
  (void)::mkdir((where + "/1").c_str(), 0700);
  const int after_failure = errno;
  say("errno " + std::to_string(after_success) + " " + std::to_string(after_failure));
}

void fork_and_make(const std::string& where) {
  const pid_t child = ::fork();
  if (child == 0) {
    make_directories(where, 2);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  say("child " + std::to_string(child) + " status " + std::to_string(status));
  make_directories(where + "/1", 2);
}

/// Like a shell: the fault is meant for the program that it executes.
void execute(char** argv) {
  ::mkdir((std::string{argv[2]} + "/0").c_str(), 0700);
  ::execv(argv[3], argv + 3);
}

/// Between vfork(2) and exec the memory is the parent's, and so would be its file.
__attribute__((noinline)) pid_t execute_by_vfork(const char* name) {
  const pid_t child = ::vfork();
  if (child == 0) {
    ::mkdir(name, 0700);
    ::_exit(0);
  }
  return child;
}

void call_after_vfork(const std::string& where) {
  const std::string name = where + "/1";
  int status = 0;
  ::waitpid(execute_by_vfork(name.c_str()), &status, 0);
  say("child status " + std::to_string(status));
  make_directories(where + "/1", 1);
}

void raw_calls() {
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0);
  say("signalled");
}

/// Many threads at once, each with its calls.
void make_in_threads(const std::string& where) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&where, t] {
      for (int i = 0; i < 250; ++i) {
        ::mkdir((where + "/" + std::to_string(t * 250 + i)).c_str(), 0700);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  say("all made");
}

void handle_crash(const std::string& where) {
  ::signal(SIGSEGV, [](int) { say("handled"); });
  make_directories(where, 2);
}

std::string received(int fd) {
  char buffer[4096];
  const ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
  return size < 0 ? std::string{std::strerror(errno)}
                  : std::string{buffer, static_cast<size_t>(size)};
}

void send_all(int fd, const std::string& text) {
  if (::send(fd, text.c_str(), text.size() + 1, MSG_NOSIGNAL) < 0) say("not sent");
}

std::string call(const char* method) {
  return std::string{R"({"method":"io.graceful.Handoff.)"} + method + R"(","parameters":{}})";
}

void succeed(const char* path) {
  const int fd = connected(path);
  for (const char* method : {"Begin", "Fetch", "Fetch", "Ready", "Settle"}) {
    send_all(fd, call(method));
    say(std::string{"asked "} + method);
    received(fd);
    say(std::string{"answered "} + method);
  }
}

/// Sends each call in three pieces, two of them at once, and each answer byte by byte.
void succeed_in_pieces(const char* path) {
  const int fd = connected(path);
  for (const char* method : {"Begin", "Fetch", "Fetch", "Ready", "Settle"}) {
    std::string text = call(method);
    const std::size_t named = text.find("\",\"parameters") + 1;
    const iovec first[] = {{text.data(), 5}, {text.data() + 5, named - 5}};
    if (::writev(fd, first, 2) < 0) say("not sent");
    send_all(fd, text.substr(named));
    for (char byte = 1; byte != 0;) {
      if (::recv(fd, &byte, 1, 0) <= 0) byte = 0;
    }
  }
}

void precede(const char* path, int clients) {
  const int listener = listening(path);
  say("listening");
  for (; clients > 0; --clients) {
    const int fd = ::accept(listener, nullptr, nullptr);
    for (std::string text = received(fd); !text.empty(); text = received(fd)) {
      say("asked " + text.substr(0, text.find('\0')));
      if (text.find("quiet") != std::string::npos) continue;
      send_all(fd, "{}");
      say("answered");
    }
    ::close(fd);
  }
}

int tcp_listener() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), length);
  ::listen(fd, 8);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  say("port " + std::to_string(ntohs(address.sin_port)));
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/// Serves "echo" on a Unix socket and, once for each connection, "hello" on a TCP socket, with an
/// edge-triggered epoll. argv: a peer to connect to, and where to listen.
void serve(const char* peer_path, const char* path) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const int peer = connected(peer_path, SOCK_NONBLOCK);
  const int control = listening(path);
  const int tcp = tcp_listener();
  int pair[2];
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
  for (const int fd : {peer, control, tcp, pair[0]}) watch(epoll, fd);
  say("serving");
  for (;;) {
    epoll_event event{};
    if (::epoll_wait(epoll, &event, 1, -1) != 1) continue;
    const int fd = event.data.fd;
    if (fd == control) {
      const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      watch(epoll, client);
      say("unix client");
    } else if (fd == tcp) {
      const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
      send_all(client, "hello");
      ::close(client);
      send_all(pair[1], "tcp client");  // to itself
    } else {
      const std::string text = received(fd);
      say((fd == pair[0] ? "own " : "heard ") + text);
      if (fd != pair[0]) send_all(fd, "echo");
    }
  }
}

/// Waits with poll(2), with and without a timeout, for a peer to send.
void wait_by_poll(const char* peer_path) {
  const int peer = connected(peer_path, SOCK_NONBLOCK);
  say("connected");
  pollfd entry{peer, POLLIN, 0};
  ::poll(&entry, 1, -1);  // the first word; the fault strikes here
  say("word " + received(peer));
  entry.revents = 0;
  const int ready = ::poll(&entry, 1, 300);
  say("ready " + std::to_string(ready));
  send_all(peer, "into the void");
  const int another = unix_socket();
  const auto address = address_of(peer_path);
  say("connect " + std::to_string(::connect(another, reinterpret_cast<const sockaddr*>(&address),
                                            sizeof address)));
  ::pause();
}

}  // namespace

int main(int, char** argv) {
  const std::string what = argv[1];
  if (what == "make") make_directories(argv[2], 5);
  if (what == "make-when-told") make_when_told(argv[2]);
  if (what == "errno") keep_errno(argv[2]);
  if (what == "fork") fork_and_make(argv[2]);
  if (what == "execute") execute(argv);
  if (what == "vfork") call_after_vfork(argv[2]);
  if (what == "raw") raw_calls();
  if (what == "threads") make_in_threads(argv[2]);
  if (what == "handle-crash") handle_crash(argv[2]);
  if (what == "environment") {
    const char* fault = std::getenv("GRACEFUL_TESTING_FAULT");
    say(fault == nullptr ? "none" : fault);
  }
  if (what == "succeed") succeed(argv[2]);
  if (what == "succeed-in-pieces") succeed_in_pieces(argv[2]);
  if (what == "precede") precede(argv[2], 1);
  if (what == "precede-twice") precede(argv[2], 2);
  if (what == "serve") serve(argv[2], argv[3]);
  if (what == "poll") wait_by_poll(argv[2]);
}
