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

/// A context that is never run, and lives as long as the process: what waits there waits for ever,
/// and keeps nobody else's context running.
GRACEFUL_API asio::io_context& parking_lot();

/// An acceptor whose loop was ended belongs there: what waits on it would wait for ever.
template <class Protocol, class Executor>
bool is_parked_for_good(asio::basic_socket_acceptor<Protocol, Executor>& acceptor) {
  if constexpr (std::is_constructible_v<Executor, asio::io_context::executor_type>) {
    return acceptor.get_executor() == Executor(parking_lot().get_executor());
  }
  return false;
}
[[noreturn]] GRACEFUL_API void refuse_parked(std::string_view name);

/// Makes no descriptor: a copy of that of the parked socket.
GRACEFUL_API unique_fd copy_of(int fd);

/// An acceptor of the application, which the library refers to, but does not own.
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

  /// The application may have moved it, and freed the place where it was: only the kernel may look
  /// there. What has been moved from has no descriptor any more.
  [[nodiscard]] bool is_where_it_was() const;

  // For where it was.

  /// Aborts what waits there, with `operation_aborted`.
  void cancel() const { end_(false); }

  /// The same, once: a loop that accepts again waits for ever from then on, without a context that
  /// it would keep running. No thread may use the acceptor meanwhile, which is at home in the
  /// parking lot afterwards.
  void end_loop() const { end_(true); }

 private:
  plain_acceptor(const void* object, std::size_t size, int fd, std::function<void(bool)> end);

  /// What waits moves along with the acceptor's innards (so the handlers find another one in its
  /// place), and is aborted by its close.
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
  std::vector<unsigned char> bytes_;  // of the object, when it was given to us
  std::vector<std::size_t> fd_at_;    // where among them its descriptor stands
  std::function<void(bool for_good)> end_;
};

}  // namespace graceful::detail

#endif
