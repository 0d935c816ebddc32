// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_caller.hpp"

#include "os/error_table.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/supervisor_messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cerrno>
#include <utility>

namespace graceful {

namespace {

/// Turns an error reply into a failure.
failure to_failure(const wire::reply& r) {
  auto message = wire::string_field(r.parameters, "message");
  if (message) message = printable(std::move(*message));
  if (r.error == wire::upgrade_failed_error &&
      wire::bool_field(r.parameters, "ends").value_or(false)) {
    return {errc::not_running, message.value_or("the upgrade failed, and the server ends")};
  }
  if (const auto code = errc_of(r.error)) {
    return {*code, message.value_or(make_error_code(*code).message())};
  }
  return {errc::protocol_violation, "the server answered with the error " + printable(r.error) +
                                        (message ? ": " + *message : std::string{}) +
                                        "; is it a server of this version?"};
}

}  // namespace

wire::json::value made_printable(wire::json::value from) {
  if (auto* text = from.if_string()) *text = printable(std::string{*text});
  if (auto* array = from.if_array()) {
    for (auto& each : *array) each = made_printable(std::move(each));
  }
  if (auto* object = from.if_object()) {
    wire::json::object to;
    for (auto& [key, each] : *object) to[printable(key)] = made_printable(std::move(each));
    from = std::move(to);
  }
  return from;
}

failure garbled() {
  return {errc::protocol_violation,
          "the process that answers at the control socket does not speak this protocol; is it a "
          "server of this version?"};
}

result<varlink_caller> varlink_caller::connect(const std::string& path,
                                               std::chrono::milliseconds deadline) {
  auto connection = varlink_connection::connect(path, os::after(deadline), os::trust::operators);
  if (!connection) return connection.error();
  os::refuse_descriptors(connection->socket());  // close(2) of descriptors that a server sends may
                                                 // take long
  return varlink_caller{std::move(*connection), deadline};
}

result<void> varlink_caller::conversation::begin(const wire::call& call) {
  if (!connection_) {
    return failure{os::system_code(ENOTCONN),
                   "a call on this connection to the server has not had its last answer, so no "
                   "other can be made on it; connect again"};
  }
  is_order_ = wire::is_order(call.method) || call.method == wire::reexec_method;
  return connection_->send(call, os::after(home_.deadline_));
}

result<wire::reply> varlink_caller::conversation::receive(os::deadline until) {
  auto message = connection_->receive(until);
  if (!message && message.error().code == errc::timed_out && is_order_) {
    return failure{
        errc::timed_out,
        connection_->give_up()
            ? "the server took the call, but did not answer in time; it may still do what it was "
              "told: see graceful-ctl status"
            : "the server did not answer in time; it has not read the call, and drops it when it "
              "does (a server of an older build may still do it: see graceful-ctl status)"};
  }
  if (!message) return message.error();
  auto reply = wire::parse_reply(message->text);
  if (!reply) return garbled();
  if (reply->error.empty()) return std::move(*reply);
  end();
  return to_failure(*reply);
}

result<wire::reply> varlink_caller::ask(const wire::call& call) {
  conversation talk{*this};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  auto reply = talk.receive(os::after(deadline_));
  if (reply && !reply->continues) talk.end();
  return reply;
}

result<void> varlink_caller::order(std::string_view method) {
  const auto reply = ask(method);
  return reply ? result<void>{} : reply.error();
}

}  // namespace graceful
