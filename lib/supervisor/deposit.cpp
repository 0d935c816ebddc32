// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/deposit.hpp"

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"
#include "os/peer.hpp"
#include "os/socket_address.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

namespace graceful {

namespace {

/// The most datagrams to read at once; then others get a turn.
constexpr int batch = 64;

/// The kernel's queue of datagrams is short, and their senders must not wait. But what is kept is
/// bounded too.
constexpr std::size_t most_kept = 4096;
constexpr rlim_t needed_otherwise = 128;  // mainly for sessions of the control socket

std::size_t keepable() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= needed_otherwise) return 1;
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur - needed_otherwise, most_kept));
}

bool trusted(uid_t user) { return user == 0 || os::is_own_user(user); }

std::string described(const std::string& name, int fd) {
  const auto address = os::socket_address::bound_to(fd);
  const bool ip = address.family() == AF_INET || address.family() == AF_INET6;
  return name + (ip ? " (" + address.to_string() + ")" : "");
}

}  // namespace

deposit::deposit(asio::io_context& context, log& log)
    : log_{log}, kept_{keepable()}, socket_{context} {}

deposit::~deposit() {
  os::close_aside(kept_.clear());
  if (socket_.is_open()) (void)socket_.release();
}

void deposit::start(int socket, listener on) {
  on_ = std::move(on);
  os::name_senders(socket);  // an older program, which this process executed before, may have made
                             // the socket
  socket_.assign(socket);
  wait();
}

void deposit::move_to(int socket) {
  read();
  (void)socket_.release();  // cancels the wait on it
  socket_.assign(socket);
  wait();
}

void deposit::wait() {
  await_readable(socket_, [this] {
    if (!socket_.is_open()) return;
    read(batch);
    wait();
  });
}

void deposit::read(int most) {
  for (int i = 0; i < most; ++i) {
    auto datagram = os::receive_notify(socket_.native_handle(), supervision::max_notification);
    if (!datagram) return;
    take(std::move(*datagram));
  }
}

void deposit::take(os::inbox datagram) {
  hear(datagram);
  // Closes what is not kept, without waiting for its sender. A barrier waits for just that close.
  os::close_aside(std::move(datagram.descriptors));
}

void deposit::hear(os::inbox& datagram) {
  const auto& sender = datagram.sender;
  if (!sender || !trusted(sender->uid)) {
    return log_.warning("ignored a notification by " +
                        (sender ? "user " + std::to_string(sender->uid) : "an unknown user"));
  }
  auto what = supervision::parse_notification(datagram.bytes);
  if (!what) {
    return log_.warning("ignored a notification by pid " + std::to_string(sender->pid) +
                        " that is too long, or no text");
  }
  if (datagram.truncated) {
    log_.error(
        "cannot take the sockets that the server deposits: raise the limit of open files "
        "(RLIMIT_NOFILE, ulimit -n) of the supervisor, and upgrade the server");
  } else if (what->store && !released_) {
    for (auto& fd : datagram.descriptors) keep(what->name, fd);
  }
  if (what->remove) remove(what->name);
  on_({sender->pid, sender->uid, std::move(datagram.sender_pidfd)}, std::move(*what));
}

void deposit::remove(const std::string& name) {
  auto removed = kept_.remove(name);
  if (!removed.empty()) log_.info("keeps " + name + " no more");
  os::close_aside(std::move(removed));
}

void deposit::keep(const std::string& name, unique_fd& fd) {
  const auto what = described(name, fd.get());
  switch (kept_.keep(name, fd)) {
    case kept_descriptors::outcome::kept:
      return log_.info("keeps " + what);
    case kept_descriptors::outcome::known:
      return;
    case kept_descriptors::outcome::full:
      return tell_full("cannot keep " + what + " and what follows: the limit of " +
                       std::to_string(kept_.limit()) +
                       " is reached; raise that of open files (ulimit -n)");
    case kept_descriptors::outcome::names_too_long:
      return tell_full("cannot keep " + what +
                       " and others: the names of all do not fit into LISTEN_FDNAMES together; "
                       "give the listeners shorter ones");
  }
}

void deposit::tell_full(const std::string& message) {
  if (!std::exchange(told_full_, true)) log_.error(message);
}

void deposit::release() {
  released_ = true;
  os::close_aside(kept_.clear());
}

std::vector<os::passed_socket> deposit::for_start() {
  released_ = false;
  std::vector<os::passed_socket> sockets;
  for (const auto& each : kept_.items()) sockets.push_back({each.name, each.fd.get()});
  return sockets;
}

}  // namespace graceful
