// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/deposit.hpp"

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"
#include "os/socket_address.hpp"
#include "os/user.hpp"

#include <algorithm>
#include <utility>

#include <linux/kcmp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

std::string ip_address_of(int fd) {
  const auto address = os::socket_address::bound_to(fd);
  const bool ip = address.family() == AF_INET || address.family() == AF_INET6;
  return ip ? address.to_string() : "";
}

/// True if files with the same inode are the same open file description. Where the kernel cannot
/// tell, sockets are.
bool same_file(int a, int b) {
  const auto self = ::getpid();
  const auto order = ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
  struct stat status {};
  return order == 0 || (order < 0 && ::fstat(a, &status) == 0 && S_ISSOCK(status.st_mode));
}

}  // namespace

deposit::deposit(asio::io_context& context, log& log, callbacks on)
    : log_{log}, callbacks_{std::move(on)}, limit_{keepable()}, socket_{context} {}

deposit::~deposit() {
  close_all();
  if (socket_.is_open()) (void)socket_.release();
}

void deposit::start(int socket) {
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
    hear(*datagram);
    // Closes what is not kept, without waiting for its sender. A barrier waits for just that close.
    os::close_aside(std::move(datagram->descriptors));
  }
}

void deposit::hear(os::notify_datagram& datagram) {
  if (!datagram.pid || !trusted(datagram.uid)) {
    return log_.warning("ignored a notification from user " + std::to_string(datagram.uid));
  }
  auto what = supervision::parse_notification(datagram.bytes);
  if (!what) {
    return log_.warning("ignored a notification from pid " + std::to_string(*datagram.pid) +
                        ": it is too long, or not text");
  }
  if (datagram.truncated) {
    log_.error(
        "cannot take the sockets that the server deposits: raise the limit of open files "
        "(RLIMIT_NOFILE, ulimit -n) of the supervisor, and upgrade the server");
  } else if (what->store && !released_) {
    for (auto& fd : datagram.descriptors) keep(what->name, fd);
  }
  if (what->remove) remove(what->name);
  callbacks_.heard({*datagram.pid, datagram.uid, std::move(datagram.pidfd)}, std::move(*what));
}

void deposit::remove(const std::string& name) {
  std::vector<unique_fd> removed;
  for (auto& each : items_) {
    if (each.name == name) removed.push_back(std::move(each.fd));
  }
  std::erase_if(items_, [](const item& each) { return !each.fd; });
  if (!removed.empty()) log_.info("no longer keeps " + name);
  os::close_aside(std::move(removed));
}

bool deposit::keeps(std::string_view name, int fd, const os::file_id& file) const {
  return std::ranges::any_of(items_, [&](const item& each) {
    return each.file == file && each.name == name && same_file(each.fd.get(), fd);
  });
}

/// LISTEN_FDNAMES passes the names of all, each with a separator.
bool deposit::has_room_for(std::string_view name) const {
  auto taken = name.size() + 1;
  for (const auto& each : items_) taken += each.name.size() + 1;
  return taken <= os::longest_socket_names;
}

void deposit::keep(const std::string& name, unique_fd& fd) {
  const auto file = os::identify(fd.get());
  if (!file || keeps(name, fd.get(), *file)) return;
  auto address = ip_address_of(fd.get());
  const auto what = name + (address.empty() ? "" : " (" + address + ")");
  if (items_.size() >= limit_) {
    return tell_full("cannot keep " + what + " or anything after it: the limit of " +
                     std::to_string(limit_) +
                     " is reached; raise the limit of open files (ulimit -n)");
  }
  if (!has_room_for(name)) {
    return tell_full(
        "cannot keep " + what +
        ": all names together do not fit into LISTEN_FDNAMES; give the listeners shorter "
        "names");
  }
  items_.push_back({name, std::move(fd), *file, std::move(address)});
  log_.info("keeps " + what);
}

void deposit::tell_full(const std::string& message) {
  if (!std::exchange(told_full_, true)) log_.error(message);
}

void deposit::release() {
  released_ = true;
  close_all();
}

void deposit::close_all() {
  std::vector<unique_fd> all;
  for (auto& each : std::exchange(items_, {})) all.push_back(std::move(each.fd));
  os::close_aside(std::move(all));
}

std::vector<os::passed_socket> deposit::for_start() {
  released_ = false;
  std::vector<os::passed_socket> sockets;
  for (const auto& each : items_) sockets.push_back({each.name, each.fd.get()});
  return sockets;
}

}  // namespace graceful
