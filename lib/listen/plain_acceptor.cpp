// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/detail/plain_acceptor.hpp>
#include <graceful/error.hpp>

#include <array>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful::detail {

namespace {

/// The memory of a moved-from acceptor may be freed, and even unmapped. write(2) then returns
/// EFAULT, where reading it here would crash, or be reported by a sanitizer.
std::vector<unsigned char> read_by_kernel(const void* from, std::size_t size) {
  std::vector<unsigned char> bytes(size);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return {};
  const unique_fd out{ends[0]};
  const unique_fd in{ends[1]};
  const auto written = ::syscall(SYS_write, in.get(), from, size);
  if (written != static_cast<long>(size) ||
      ::read(out.get(), bytes.data(), size) != static_cast<ssize_t>(size)) {
    return {};
  }
  return bytes;
}

int int_at(const std::vector<unsigned char>& bytes, std::size_t at) {
  int value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

asio::io_context& parking_lot() {
  // Never destroyed: an acceptor of the application may be destroyed at any time until the end.
  static auto* const lot = new asio::io_context{1};
  return *lot;
}

void refuse_parked(std::string_view name) {
  throw error{failure{errc::invalid_argument,
                      "listener '" + std::string{name} +
                          "': this acceptor was used before, and its accept loop was ended for "
                          "good; make another one"}};
}

unique_fd copy_of(int fd) { return unique_fd{::fcntl(fd, F_DUPFD_CLOEXEC, 3)}; }

plain_acceptor::plain_acceptor(const void* object, std::size_t size, int fd,
                               std::function<void(bool)> end)
    : object_{object}, bytes_(size), end_{std::move(end)} {
  std::memcpy(bytes_.data(), object, size);
  for (std::size_t at = 0; at + sizeof(int) <= size; at += alignof(int)) {
    if (int_at(bytes_, at) == fd) fd_at_.push_back(at);
  }
}

bool plain_acceptor::is_where_it_was() const {
  const auto now = read_by_kernel(object_, bytes_.size());
  if (now.size() != bytes_.size() || fd_at_.empty()) return false;
  std::size_t at = 0;
  for (const std::size_t fd : fd_at_) {
    // The descriptor is followed by flags, which may change: with non_blocking(true), for example.
    if (std::memcmp(now.data() + at, bytes_.data() + at, fd + sizeof(int) - at) != 0) return false;
    at = fd + 2 * sizeof(int);
    if (at > bytes_.size()) return true;
  }
  return std::memcmp(now.data() + at, bytes_.data() + at, bytes_.size() - at) == 0;
}

}  // namespace graceful::detail
