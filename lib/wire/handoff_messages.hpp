// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_HANDOFF_MESSAGES_HPP
#define GRACEFUL_WIRE_HANDOFF_MESSAGES_HPP

#include "wire/handoff_values.hpp"
#include "wire/varlink.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// io.graceful.Handoff as JSON. Each `parse_` function returns none where a parameter is missing or
/// has the wrong type.
namespace graceful::wire {

std::optional<begin> parse_begin(const json::object& parameters);
std::optional<begun> parse_begun(const json::object& parameters);
std::optional<fetch> parse_fetch(const json::object& parameters);
std::optional<batch> parse_batch(const json::object& parameters);
std::optional<settle> parse_settle(const json::object& parameters);
std::optional<settled> parse_settled(const json::object& parameters);
std::optional<fail> parse_fail(const json::object& parameters);

std::optional<report> parse_report(const json::object& parameters);
std::optional<reported> parse_reported(const json::object& parameters);
std::optional<ready> parse_ready(const json::object& parameters);
/// Nothing depends on the contents: what is missing or wrong is left out.
readied parse_readied(const json::object& parameters);

call to_call(const begin& m);
call to_call(const fetch& m);
call to_call(const ready& m);
call to_call(const settle& m);
call to_call(const fail& m);
call to_call(const report& m);
reply to_reply(const begun& m);
reply to_reply(const batch& m);
reply to_reply(const settled& m);
reply to_reply(const reported& m);
reply to_reply(const readied& m);

/// The error for a successor that speaks no version that this build speaks.
reply to_incompatible_version(std::string_view message, const std::vector<std::int64_t>& offered);

}  // namespace graceful::wire

#endif
