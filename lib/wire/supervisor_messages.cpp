// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/supervisor_messages.hpp"

#include "wire/fields.hpp"
#include "wire/members.hpp"

#include <tuple>

namespace graceful::wire {

template <>
struct members<kept_socket> {
  static constexpr std::tuple table{required("name", &kept_socket::name),
                                    required("address", &kept_socket::address)};
};

template <>
struct members<supervisor_status> {
  static constexpr std::tuple table{required("pid", &supervisor_status::pid),
                                    required("uptime_ms", &supervisor_status::uptime),
                                    required("state", &supervisor_status::state),
                                    required("version", &supervisor_status::version),
                                    lenient("main", &supervisor_status::main_pid),
                                    lenient("said", &supervisor_status::said),
                                    required("restarts", &supervisor_status::restarts),
                                    required("failures", &supervisor_status::failures),
                                    required("failure_limit", &supervisor_status::failure_limit),
                                    lenient("last_failure", &supervisor_status::last_failure),
                                    lenient("wait_ms", &supervisor_status::wait),
                                    required("kept", &supervisor_status::kept)};
};

std::optional<supervisor_status> parse_supervisor_status(const json::object& parameters) {
  return parse<supervisor_status>(parameters);
}

reply to_reply(const supervisor_status& m) { return reply_of(m); }

reply to_release_reply(bool released) {
  reply r;
  r.parameters["released"] = released;
  return r;
}

bool parse_release_reply(const json::object& parameters) {
  return bool_field(parameters, "released").value_or(false);
}

}  // namespace graceful::wire
