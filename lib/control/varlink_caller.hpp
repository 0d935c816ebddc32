// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_VARLINK_CALLER_HPP
#define GRACEFUL_CONTROL_VARLINK_CALLER_HPP

#include <graceful/error.hpp>

#include "control/varlink_connection.hpp"
#include "wire/varlink.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graceful {

/// Calls, one after the other, on a connection to a control socket, for a program that waits for
/// each reply.
class varlink_caller {
 public:
  /// `deadline` bounds the connecting and each answer for which nothing else is said. Trusts any
  /// user if this process is root's: it gives nothing but orders.
  static result<varlink_caller> connect(const std::string& path,
                                        std::chrono::milliseconds deadline);

  /// One call and its replies. Of which call a reply is, only their order says: what comes late
  /// would be taken for the answer to the next one. So the connection comes back only after the
  /// last reply; whatever ends the call before, an exception too, closes it.
  class conversation {
   public:
    explicit conversation(varlink_caller& home)
        : home_{home}, connection_{std::exchange(home.connection_, std::nullopt)} {}

    /// Fails with ENOTCONN if the call before has not had its last reply.
    result<void> begin(const wire::call& call);

    /// The next reply to the call, if it is no error.
    result<wire::reply> receive(os::deadline until);

    /// The last reply has come.
    void end() { home_.connection_ = std::move(connection_); }

   private:
    varlink_caller& home_;
    std::optional<varlink_connection> connection_;
    bool is_order_ = false;
  };

  /// A call that has no parameters, and its only reply.
  result<wire::reply> ask(std::string_view method);

  /// The same, where the reply says nothing but that it is done.
  result<void> order(std::string_view method);

  [[nodiscard]] std::chrono::milliseconds deadline() const { return deadline_; }

 private:
  varlink_caller(varlink_connection connection, std::chrono::milliseconds deadline)
      : connection_{std::move(connection)}, deadline_{deadline} {}

  std::optional<varlink_connection> connection_;  // none: a call has no last reply
  std::chrono::milliseconds deadline_;
};

/// What answers does not speak this protocol.
failure garbled();

}  // namespace graceful

#endif
