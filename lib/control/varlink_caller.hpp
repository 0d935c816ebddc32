// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include "control/varlink_connection.hpp"
#include "wire/varlink.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graceful {

/// Makes calls, one after the other, on a connection to a control socket, for a program that waits
/// for each reply.
class varlink_caller {
 public:
  /// `deadline` bounds the connect, and each answer for which no other deadline is given. If this
  /// process is root's, it trusts a server of any user: it only gives orders.
  static result<varlink_caller> connect(const std::string& path,
                                        std::chrono::milliseconds deadline);

  /// One call and its replies. Only their order tells which call a reply belongs to: a late reply
  /// would be taken for the answer to the next call. So the connection is returned only after the
  /// last reply; anything that ends the call earlier, an exception too, closes it.
  class conversation {
   public:
    explicit conversation(varlink_caller& home)
        : home_{home}, connection_{std::exchange(home.connection_, std::nullopt)} {}

    /// Fails with ENOTCONN if the previous call has not had its last reply.
    result<void> begin(const wire::call& call);

    /// The next reply to the call. An error reply is returned as a failure.
    result<wire::reply> receive(os::deadline until);

    /// The last reply has been received.
    void end() { home_.connection_ = std::move(connection_); }

   private:
    varlink_caller& home_;
    std::optional<varlink_connection> connection_;
    bool is_order_ = false;
  };

  /// Makes a call, and returns its only reply.
  result<wire::reply> ask(const wire::call& call);
  result<wire::reply> ask(std::string_view method) {
    return ask(wire::call{.method = std::string{method}, .parameters = {}});
  }

  /// The same, where the reply only says that it is done.
  result<void> order(std::string_view method);

  [[nodiscard]] std::chrono::milliseconds deadline() const { return deadline_; }

 private:
  varlink_caller(varlink_connection connection, std::chrono::milliseconds deadline)
      : connection_{std::move(connection)}, deadline_{deadline} {}

  std::optional<varlink_connection> connection_;  // none: a call did not get its last reply
  std::chrono::milliseconds deadline_;
};

/// The peer does not speak this protocol.
failure garbled();

/// The same with texts, names of members too, that a terminal shows and does not obey.
wire::json::value made_printable(wire::json::value from);

/// What a reply says, as a value with printable texts, and with its line of JSON unchanged.
template <class Value>
result<Value> to_value(const result<wire::reply>& reply,
                       std::optional<Value> (*parse)(const wire::json::object&)) {
  if (!reply) return reply.error();
  auto value = parse(made_printable(reply->parameters).get_object());
  if (!value) return garbled();
  value->json = boost::json::serialize(reply->parameters);
  return std::move(*value);
}

}  // namespace graceful
