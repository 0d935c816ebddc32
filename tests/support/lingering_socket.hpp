// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace graceful_test {

/// A TCP socket whose last close(2) blocks for `linger_time`, because its peer does not take what
/// was sent. Blocks only while this object lives.
class lingering_socket {
 public:
  static constexpr std::chrono::seconds linger_time{60};
  /// If less time has passed, the close did not block.
  static constexpr std::chrono::seconds no_wait{20};

  lingering_socket() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    const graceful::unique_fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ours_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    constexpr linger late{.l_onoff = 1, .l_linger = static_cast<int>(linger_time.count())};
    if (::bind(listener.get(), where, size) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), where, &size) != 0 ||
        (::connect(ours_.get(), where, size) != 0 && errno != EINPROGRESS) ||
        ::setsockopt(ours_.get(), SOL_SOCKET, SO_LINGER, &late, sizeof late) != 0) {
      throw std::runtime_error{"cannot make a socket that lingers"};
    }
    peer_.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string much(65'536, 'x');
    while (::send(ours_.get(), much.data(), much.size(), MSG_NOSIGNAL) > 0) {
    }
  }

  /// To send it; nobody else may have it then.
  [[nodiscard]] int get() const { return ours_.get(); }
  graceful::unique_fd release() { return std::move(ours_); }

  /// One end of a pair of Unix sockets whose queue contains the only descriptor of the lingering
  /// socket.
  graceful::unique_fd release_nested() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::runtime_error{"cannot make a pair of sockets"};
    }
    const graceful::unique_fd other{ends[0]};
    graceful::unique_fd nest{ends[1]};
    send(other.get(), {}, std::move(ours_));
    return nest;
  }

  /// Sends `fd`; afterwards only the receiver has it. False if the receiver takes no descriptors.
  static bool send(int socket, const std::string& text, graceful::unique_fd fd) {
    std::string bytes = text.empty() ? "x" : text;
    iovec data{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = fd.get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
  }

 private:
  graceful::unique_fd ours_;
  graceful::unique_fd peer_;
};

/// How long the call takes.
template <class Function>
std::chrono::steady_clock::duration duration_of(Function f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - begin;
}

}  // namespace graceful_test
