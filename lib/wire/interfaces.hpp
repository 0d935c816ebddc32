// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_INTERFACES_HPP
#define GRACEFUL_WIRE_INTERFACES_HPP

#include "wire/varlink.hpp"

#include <optional>
#include <string_view>

/// What a server says of itself: the interface org.varlink.service.
namespace graceful::wire {

/// Which interfaces are offered.
enum class role { server, supervisor };

/// The description of an interface, in the language of https://varlink.org/Interface-Definition;
/// none if nobody has it.
std::optional<std::string_view> interface_description(std::string_view interface);

/// Answers a call of org.varlink.service; none if `c` calls something else.
std::optional<reply> answer_service_call(const call& c, role who = role::server);

/// What to answer to a call that nobody handles.
reply unknown_method(const call& c, role who = role::server);

}  // namespace graceful::wire

#endif
