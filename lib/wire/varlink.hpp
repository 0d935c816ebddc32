// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/error_table.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The envelope of Varlink (https://varlink.org/Method-Call): calls and replies as values.
namespace graceful::wire {

namespace json = boost::json;

/// The deepest nesting of a message that is parsed.
inline constexpr std::size_t max_depth = 16;

/// The longest message that a server takes from a client, and a client from a server. A server's
/// reply is longer where it describes thousands of listeners.
inline constexpr std::size_t max_call_size = std::size_t{64} << 10;
inline constexpr std::size_t max_reply_size = std::size_t{16} << 20;

struct call {
  std::string method;
  json::object parameters;
  bool more = false;    // the client takes several replies
  bool oneway = false;  // the client takes none
};

struct reply {
  json::object parameters;
  std::string error;       // empty: success
  bool continues = false;  // more replies to the same call follow
};

/// None if the text is not a call.
std::optional<call> parse_call(std::string_view text);

/// None if the text is not a reply.
std::optional<reply> parse_reply(std::string_view text);

/// The standard error for a parameter of a wrong type or value.
reply invalid(std::string_view parameter);

/// An error reply. All errors of ours carry a sentence for a person.
reply to_error(std::string_view error, std::string_view text, std::string_view key = "message");

/// Messages with their NUL.
std::string to_message(const call& c);
std::string to_message(const reply& r);

/// Errors that Varlink itself defines.
inline constexpr std::string_view interface_not_found = "org.varlink.service.InterfaceNotFound";
inline constexpr std::string_view method_not_found = "org.varlink.service.MethodNotFound";
inline constexpr std::string_view invalid_parameter = "org.varlink.service.InvalidParameter";
inline constexpr auto permission_denied = entry_of(errc::permission_denied).control;
inline constexpr std::string_view expected_more = "org.varlink.service.ExpectedMore";

}  // namespace graceful::wire
