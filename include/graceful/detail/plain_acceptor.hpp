// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_PLAIN_ACCEPTOR_HPP
#define GRACEFUL_DETAIL_PLAIN_ACCEPTOR_HPP

#include <graceful/detail/api.hpp>
#include <graceful/errc.hpp>
#include <graceful/unique_fd.hpp>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace graceful::detail {

namespace asio = boost::asio;

/// A context that is never run, and lives as long as the process. Operations that wait there wait
/// for ever, and keep no other context running.
GRACEFUL_API asio::io_context& parking_lot();

/// True for an acceptor whose loop was ended: it belongs to the parking lot, where operations wait
/// for ever.
template <class Protocol, class Executor>
bool is_parked_for_good(asio::basic_socket_acceptor<Protocol, Executor>& acceptor) {
  if constexpr (std::is_constructible_v<Executor, asio::io_context::executor_type>) {
    return acceptor.get_executor() == Executor(parking_lot().get_executor());
  }
  return false;
}
[[noreturn]] GRACEFUL_API void refuse_parked(std::string_view name);

/// Duplicates `fd`, which shares its socket; close-on-exec. Empty if that fails.
GRACEFUL_API unique_fd copy_of(int fd);

/// An acceptor of the application, to which the library refers without owning it.
class GRACEFUL_API plain_acceptor {
 public:
  template <class Protocol, class Executor>
  plain_acceptor(asio::basic_socket_acceptor<Protocol, Executor>& acceptor,
                 const Protocol& protocol)
      : plain_acceptor{&acceptor, sizeof acceptor, acceptor.native_handle(),
                       [&acceptor, protocol](bool for_good) {
                         error_code ignored;
                         if (for_good) return end_loop_of(acceptor, protocol);
                         acceptor.cancel(ignored);
                       }} {}

  /// False if the application has moved the acceptor, and maybe freed its place: only the kernel
  /// may read there. An acceptor that was moved from has no descriptor any more.
  [[nodiscard]] bool is_where_it_was() const;

  // Call these only while it is where it was.

  /// Aborts waiting operations, with `operation_aborted`.
  void cancel() const { end_(false); }

  /// The same, once: from then on a loop that accepts again waits for ever, and keeps no context
  /// running. No thread may use the acceptor meanwhile. Afterwards it belongs to the parking lot.
  void end_loop() const { end_(true); }

 private:
  plain_acceptor(const void* object, std::size_t size, int fd, std::function<void(bool)> end);

  /// Moves the acceptor's members, and with them the waiting operations, so that their handlers
  /// find another acceptor in its place; then closes the old one, which aborts them.
  template <class Protocol, class Executor>
  static void end_loop_of(asio::basic_socket_acceptor<Protocol, Executor>& acceptor,
                          const Protocol& protocol) {
    error_code ignored;
    if constexpr (std::is_constructible_v<Executor, asio::io_context::executor_type>) {
      using acceptor_type = asio::basic_socket_acceptor<Protocol, Executor>;
      acceptor_type parked{Executor(parking_lot().get_executor())};
      unique_fd copy = copy_of(acceptor.native_handle());
      parked.assign(protocol, copy.get(), ignored);
      if (!ignored) {
        (void)copy.release();
        acceptor_type old{std::move(acceptor)};
        acceptor = std::move(parked);
        old.close(ignored);
        return;
      }
    }
    acceptor.cancel(ignored);
  }

  const void* object_;
  std::vector<unsigned char> bytes_;  // the object's, when it was passed to us
  std::vector<std::size_t> fd_at_;    // the offsets of its descriptor among them
  std::function<void(bool for_good)> end_;
};

}  // namespace graceful::detail

#endif
