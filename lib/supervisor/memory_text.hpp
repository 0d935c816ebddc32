// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_MEMORY_TEXT_HPP
#define GRACEFUL_SUPERVISOR_MEMORY_TEXT_HPP

#include "supervisor/keeper.hpp"

#include <boost/json/object.hpp>

/// What a keeper remembers, as text for the next program that this process executes. Times count
/// from the start of the system, so they mean the same there.
namespace graceful::supervision {

boost::json::object to_json(const memory& m);

/// Values that are missing or have a wrong type are those of a new keeper: another build may have
/// written the text.
memory memory_from(const boost::json::object& o);

}  // namespace graceful::supervision

#endif
