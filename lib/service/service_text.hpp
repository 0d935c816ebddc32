// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_SERVICE_TEXT_HPP
#define GRACEFUL_SERVICE_SERVICE_TEXT_HPP

#include <graceful/control_client.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// What `systemctl status` and `graceful-ctl status` show of a service.
namespace graceful {

/// "generation 3 serves", or "generation 3 serves, 41 connections draining on 812" where others
/// drain.
std::string serving_text(std::uint64_t generation, const std::vector<draining_process>& others);

/// "ends, 1 connection left"; no number where none is tracked.
std::string ending_text(std::uint64_t connections);

}  // namespace graceful

#endif
