// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_ERRC_HPP
#define GRACEFUL_ERRC_HPP

#include <graceful/detail/api.hpp>

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/is_error_code_enum.hpp>

namespace graceful {

using boost::system::error_code;

/// The errors of an upgrade, beyond the errors of the system itself (which are reported in
/// `boost::system::system_category()`). `message()` says what to do next, if there is something to
/// do.
enum class errc {
  already_running = 1,  ///< Another process serves under this control path; takeover not asked for.
  busy,                 ///< An upgrade is in progress, or the process drains; or too many ask.
  not_running,          ///< No process answers at the control path.
  permission_denied,  ///< The peer is neither the same user nor root, or a path belongs to another.
  incompatible_version,  ///< Predecessor and successor share no version of the handoff protocol.
  not_on_offer,          ///< The successor asked for a socket that the predecessor does not have.
  not_expected,          ///< The predecessor does not know this process's upgrade.
  protocol_violation,    ///< A peer sent a message that the protocol forbids.
  descriptors_lost,      ///< The kernel truncated or the peer miscounted the passed descriptors.
  wrong_socket,          ///< A descriptor is not the listening socket it is said to be.
  timed_out,             ///< A peer did not answer within its deadline.
  peer_gone,             ///< A peer closed the connection before the work was done.
  upgrade_failed,        ///< The successor failed; the predecessor still serves.
  path_in_use,           ///< The control path exists and is not a socket.
  path_too_long,         ///< The control path does not fit into a Unix socket address.
  invalid_argument,      ///< A name, option or parameter cannot be used; the message says why.
  not_ready,             ///< The server has not called ready() yet.
  no_upgrade,            ///< There is none to abort, or none in probation.
};

/// The category of `errc`. Thread-safe.
GRACEFUL_API const boost::system::error_category& graceful_category() noexcept;

inline error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), graceful_category()};
}

}  // namespace graceful

template <>
struct boost::system::is_error_code_enum<graceful::errc> : std::true_type {};

#endif
