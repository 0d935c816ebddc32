// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "wire/varlink.hpp"

#include <optional>
#include <string_view>

/// How a server describes itself: the interface org.varlink.service.
namespace graceful::wire {

/// Decides which interfaces are offered.
enum class role { server, supervisor };

/// The description of an interface, in the language of https://varlink.org/Interface-Definition;
/// none if there is no such interface.
std::optional<std::string_view> interface_description(std::string_view name);

/// Answers a call of org.varlink.service; none if `c` calls another interface.
std::optional<reply> answer_service_call(const call& c, role who = role::server);

/// The answer to a call of an unknown method.
reply unknown_method(const call& c, role who = role::server);

}  // namespace graceful::wire
