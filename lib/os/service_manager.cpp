// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/service_manager.hpp"

#include "os/channel.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/socket_option.hpp"
#include "os/spare_descriptors.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr std::size_t max_fd_name = 255;

unique_fd datagram_socket() {
  return unique_fd{spare_descriptors::with(
      [] { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); })};
}

/// False if the descriptor is not open.
bool prepare(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags < 0 || ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) return false;
  const int status = ::fcntl(fd, F_GETFL);
  return status >= 0 && ::fcntl(fd, F_SETFL, status | O_NONBLOCK) >= 0;
}

/// True if it can have come through execve(2) and is a listening socket.
bool is_passed_listener(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0 && is_listening(fd);
}

bool are_passed_listeners(int count) {
  for (int i = 0; i < count; ++i) {
    if (!is_passed_listener(first_passed + i)) return false;
  }
  return true;
}

bool meant_for_this(pid_t pid, int count, addressee whom) {
  return pid == ::getpid() ||
         (whom == addressee::or_ancestor && is_ancestor(pid) && are_passed_listeners(count));
}

bool fits(char c) { return c > ' ' && c < '\x7f' && c != ':' && c != '%'; }

/// FNV-1a.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

std::string process_text(pid_t pid) { return std::to_string(pid) + ' ' + own_pid_space(); }

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// The process that called listen(2) there, according to the kernel; 0 if none answers.
pid_t listener_at(const std::string& path) {
  constexpr std::chrono::milliseconds enough{200};
  const auto connection = connect_unix(path, after(enough));
  const auto who = connection ? peer::of(connection->get()) : std::nullopt;
  return who ? who->pid : 0;
}

}  // namespace

result<service_manager> service_manager::at(std::string_view address) {
  service_manager m;
  const bool is_abstract = address.starts_with('@');
  if (!is_abstract && !address.starts_with('/')) {
    return failure{errc::invalid_argument, "NOTIFY_SOCKET is neither a path nor an abstract name"};
  }
  // A path needs its NUL.
  if (address.size() + (is_abstract ? 0 : 1) > sizeof m.address_.sun_path) {
    return failure{errc::path_too_long, "NOTIFY_SOCKET is too long"};
  }
  m.address_.sun_family = AF_UNIX;
  std::memcpy(m.address_.sun_path, address.data(), address.size());
  if (is_abstract) m.address_.sun_path[0] = '\0';
  m.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() +
                                     (is_abstract ? 0 : 1));
  m.socket_ = datagram_socket();
  if (!m.socket_) return system_failure("cannot make a socket for NOTIFY_SOCKET");
  return m;
}

result<void> service_manager::notify(std::string_view assignments,
                                     const std::vector<int>& descriptors) const {
  if (descriptors.size() > max_descriptors) {
    return failure{errc::invalid_argument, "too many descriptors for one message"};
  }
  if (send_message(socket_.get(), assignments, descriptors, &address_, length_) < 0) {
    return system_failure("cannot write to NOTIFY_SOCKET");
  }
  return {};
}

/// connect(2) resolves the address and checks whether this process may write there.
result<void> service_manager::reach() const {
  const auto probe = datagram_socket();
  if (!probe) return system_failure("cannot make a socket for NOTIFY_SOCKET");
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address_), length_) != 0) {
    return system_failure("cannot write to NOTIFY_SOCKET");
  }
  return {};
}

std::string own_process_text() { return process_text(::getpid()); }

bool manager_process::is_parent() const {
  const pid_t parent = ::getppid();
  if (parent <= 0) return false;  // it lives in another PID namespace
  if (!supervisor.empty()) return supervisor == process_text(parent);
  if (!socket.empty()) return listener_at(socket) == parent;
  if (user_manager == std::to_string(parent)) return true;
  return parent == 1 && (executed == std::to_string(::getpid()) || is_directory(booted));
}

std::vector<named_descriptor> take_listen_fds(start_command& start, addressee whom) {
  const auto pid = whole_number<pid_t>(start.take("LISTEN_PID"));
  const auto count = whole_number<int>(start.take("LISTEN_FDS"));
  const auto names = split(start.take("LISTEN_FDNAMES"), ':');
  std::vector<named_descriptor> passed;
  if (!pid || !count || !meant_for_this(*pid, *count, whom)) return passed;
  const bool named = names.size() == static_cast<std::size_t>(std::max(*count, 0));
  for (int i = 0; i < *count; ++i) {
    const int fd = first_passed + i;
    if (!prepare(fd)) break;  // a wrong count must not cost more than that
    auto name = named ? names[static_cast<std::size_t>(i)] : std::string{};
    passed.push_back({name.empty() ? "unknown" : std::move(name), unique_fd{fd}});
  }
  return passed;
}

std::string to_fd_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (fits(c)) {
      result += c;
      continue;
    }
    std::array<char, 4> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += escaped.data();
  }
  if (result.size() <= max_fd_name) return result;
  const auto hash = '~' + hash_of(name);
  std::size_t kept = max_fd_name - hash.size();
  // Does not cut in the middle of an escape: from_fd_name() and to_fd_name() must reproduce the
  // name.
  for (const std::size_t back : {1, 2}) {
    if (result[kept - back] == '%') kept -= back;
  }
  return result.substr(0, kept) + hash;
}

std::string from_fd_name(std::string_view fd_name) {
  std::string result;
  for (std::size_t at = 0; at < fd_name.size(); ++at) {
    const auto code = fd_name[at] == '%' && at + 2 < fd_name.size()
                          ? whole_number<unsigned char>(fd_name.substr(at + 1, 2), 16)
                          : std::nullopt;
    if (code) at += 2;
    result += code ? static_cast<char>(*code) : fd_name[at];
  }
  return result;
}

}  // namespace graceful::os
