// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/park.hpp"

#include "os/open_files.hpp"
#include "os/socket_option.hpp"
#include "os/spare_descriptors.hpp"
#include "os/system_failure.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful::os {

namespace {

// Uses the raw system call, not libc's function. ThreadSanitizer would report a race between the
// control thread, which changes a descriptor, and a thread that blocks in accept(2) on it and
// closes it when woken. The kernel excludes that race.
bool put(int socket, int fd) { return ::syscall(SYS_dup3, socket, fd, O_CLOEXEC) >= 0; }
bool change_epoll(int instance, int how, int fd, epoll_event* event) {
  return ::syscall(SYS_epoll_ctl, instance, how, fd, event) == 0;
}

/// Tries to add an entry: epoll_ctl(2) says if there is one already. If there was none, one exists
/// for a moment, without an event that could be reported.
bool is_registered(int instance, int fd) {
  epoll_event nothing{};
  if (!change_epoll(instance, EPOLL_CTL_ADD, fd, &nothing)) return errno == EEXIST;
  (void)change_epoll(instance, EPOLL_CTL_DEL, fd, nullptr);
  return false;
}

/// Read from the fdinfo of the instance: proc(5). A stale entry of another file may have the same
/// number: the inode tells them apart.
std::optional<epoll_entry::registration> registration_of(int fd, int instance) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return {};
  std::ifstream info{"/proc/self/fdinfo/" + std::to_string(instance)};
  for (std::string line; std::getline(info, line);) {
    int number = -1;
    epoll_entry::registration r{};
    std::uint64_t inode = 0;
    if (std::sscanf(line.c_str(),
                    "tfd: %d events: %" SCNx32 " data: %" SCNx64 " pos:%*d ino:%" SCNx64, &number,
                    &r.events, &r.data, &inode) == 4 &&
        number == fd && inode == file.st_ino) {
      return r;
    }
  }
  return {};
}

}  // namespace

std::optional<epoll_entry> find_in_epoll(int fd) {
  std::optional<epoll_entry> found;
  for_each_open_file([&](int instance) {
    if (instance == fd || !is_registered(instance, fd)) return true;
    found = epoll_entry{instance, registration_of(fd, instance)};
    return false;
  });
  return found;
}

/// Nothing arrives on an interface that does not exist. Where the kernel does not know that option
/// yet, the socket drops packets whose TTL is below the highest: ip(7), IP_MINTTL.
result<unique_fd> unreachable_listener() {
  unique_fd fd{spare_descriptors::with(
      [] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP); })};
  constexpr int highest_ttl = 255;
  constexpr int no_interface = std::numeric_limits<int>::max();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool made = fd && set_socket_option(fd.get(), IPPROTO_IP, IP_MINTTL, highest_ttl);
  if (made) (void)set_socket_option(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, no_interface);
  if (!made || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    return system_failure("cannot make a socket to park an acceptor on");
  }
  return fd;
}

/// An epoll entry is identified by its number and its open file description. While another process
/// holds the description, closing the number or giving it to another file leaves the entry behind
/// for ever. So the entry has to be removed first.
result<void> park(int fd, const std::optional<epoll_entry>& entry, const unique_fd& place) {
  if (entry && !change_epoll(entry->instance, EPOLL_CTL_DEL, fd, nullptr)) {
    return system_failure("cannot take an acceptor out of epoll");
  }
  if (!put(place.get(), fd)) return system_failure("cannot park an acceptor");
  return {};
}

result<void> unpark(int fd, const std::optional<epoll_entry>& entry, int socket) {
  if (!put(socket, fd)) return system_failure("cannot put an acceptor back");
  if (!entry || !entry->known) return {};
  epoll_event event{};
  event.events = entry->known->events;
  event.data.u64 = entry->known->data;
  // Reports at once what waits in the queue: an edge-triggered entry starts with its state.
  if (!change_epoll(entry->instance, EPOLL_CTL_ADD, fd, &event)) {
    return system_failure("cannot have an acceptor wait again");
  }
  return {};
}

/// Only a connection or a signal wakes a thread in accept(2). By default SIGURG does nothing, so it
/// needs a handler meanwhile; with SA_RESTART the kernel starts the call again: signal(7).
void restart_accept(int fd) {
  constexpr int rounds = 200;
  constexpr int pause_ms = 1;
  auto threads = threads_in_accept(fd);
  if (threads.empty()) return;
  struct sigaction before {};
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  ::sigaction(SIGURG, nullptr, &before);
  const bool unhandled = before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN;
  if (unhandled) ::sigaction(SIGURG, &nothing, nullptr);
  // A thread that had only begun to sleep is seen in a later round.
  for (int round = 0; round < rounds && !threads.empty(); ++round) {
    for (const pid_t thread : threads) ::syscall(SYS_tgkill, ::getpid(), thread, SIGURG);
    ::poll(nullptr, 0, pause_ms);
    threads = threads_in_accept(fd);
  }
  if (unhandled) ::sigaction(SIGURG, &before, nullptr);
}

/// poll(2) looks its descriptors up by number whenever it is woken, but waits on the sockets that
/// the numbers meant when it was called. A shutdown(2) for writing does nothing to a listening
/// socket except wake the threads that sleep in poll(2) on it: inet_shutdown() of the kernel.
result<void> end_blocking_accept(int fd, int was) {
  const unique_fd never_listened{spare_descriptors::with(
      [] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP); })};
  const unique_fd parked{spare_descriptors::with([fd] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 3); })};
  if (!never_listened || !put(never_listened.get(), fd)) {
    return system_failure("cannot end a blocking accept");
  }
  ::shutdown(was, SHUT_WR);
  ::shutdown(parked.get(), SHUT_WR);
  restart_accept(fd);
  return {};
}

}  // namespace graceful::os
