// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/park.hpp"

#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

namespace {

/// A TCP socket that listens, on a loopback port that the kernel chooses, but drops what comes with
/// a TTL below the highest, before a handshake can begin: ip(7), IP_MINTTL. A socket filter would
/// do it for any TTL, but there are kernels on which a TCP socket gets none without CAP_NET_ADMIN.
result<unique_fd> unreachable_listener() {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)};
  constexpr int highest_ttl = 255;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!fd || ::setsockopt(fd.get(), IPPROTO_IP, IP_MINTTL, &highest_ttl, sizeof highest_ttl) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    return system_failure("cannot make a socket to park an acceptor on");
  }
  return fd;
}

/// Numbers of this process's epoll instances.
std::vector<int> epoll_instances() {
  std::vector<int> instances;
  std::error_code ec;
  for (std::filesystem::directory_iterator entry{"/proc/self/fd", ec}, end; !ec && entry != end;
       entry.increment(ec)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry->path(), gone) == "anon_inode:[eventpoll]") {
      instances.push_back(std::stoi(entry->path().filename().string()));
    }
  }
  return instances;
}

/// How `fd` is registered in `instance`, from its fdinfo: proc(5). An entry that is left behind by
/// another file may have the same number: the inode tells.
std::optional<parking::registration> registration_of(int fd, int instance) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return {};
  std::ifstream info{"/proc/self/fdinfo/" + std::to_string(instance)};
  for (std::string line; std::getline(info, line);) {
    int number = -1;
    parking::registration r{.instance = instance, .events = 0, .data = 0};
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

/// An entry is known by its number and its open file description. While another process holds the
/// description, closing the number or giving it to another file leaves the entry behind for ever,
/// so it has to be removed first; but from which instance, only its owner knows.
std::vector<parking::registration> leave_epoll(int fd) {
  std::vector<parking::registration> left;
  for (const int instance : epoll_instances()) {
    const auto entry = registration_of(fd, instance);
    if (entry && ::epoll_ctl(instance, EPOLL_CTL_DEL, fd, nullptr) == 0) left.push_back(*entry);
  }
  return left;
}

}  // namespace

result<parking> park(int fd, bool registered) {
  auto nowhere = unreachable_listener();
  if (!nowhere) return nowhere.error();
  // Never where it may still be in one: the entry would outlive what it points to.
  auto left = leave_epoll(fd);
  if (registered && left.empty()) {
    return failure{errc::invalid_argument, "the acceptor is in no epoll"};
  }
  if (::dup3(nowhere->get(), fd, O_CLOEXEC) < 0) return system_failure("cannot park an acceptor");
  return parking{cookie_of(fd), std::move(left)};
}

result<void> unpark(int fd, const parking& place, int socket) {
  if (::dup3(socket, fd, O_CLOEXEC) < 0) return system_failure("cannot put an acceptor back");
  for (const auto& entry : place.registrations) {
    epoll_event event{};
    event.events = entry.events;
    event.data.u64 = entry.data;
    // Reports at once what waits in the queue: an edge-triggered entry begins with its state.
    if (::epoll_ctl(entry.instance, EPOLL_CTL_ADD, fd, &event) != 0) {
      return system_failure("cannot have an acceptor wait again");
    }
  }
  return {};
}

}  // namespace graceful::os
