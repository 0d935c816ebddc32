// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/inheritance.hpp"

#include "os/listening_socket.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace graceful {

namespace {

/// Only the name tells which socket was handed over for `wanted` if that has port 0.
bool akin(std::string_view name, int fd, std::string_view wanted) {
  const auto group = group_of(wanted);
  return name == group || (group_of(name) == group && os::shares_port(fd));
}

}  // namespace

const char* to_text(std::optional<origin> from) {
  if (!from) return "is bound";
  if (*from == origin::predecessor) return "comes from the predecessor";
  return *from == origin::supervisor ? "comes from the supervisor"
                                     : "comes from the service manager";
}

std::string_view group_of(std::string_view name) {
  const auto slash = name.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == name.size()) return name;
  return name.find_first_not_of("0123456789", slash + 1) == std::string_view::npos
             ? name.substr(0, slash)
             : name;
}

void inheritance::add(std::string name, item passed) {
  if (passed.from != origin::predecessor) {
    passed.kept = true;
    const auto cookie = os::cookie_of(passed.fd.get());
    const auto same = std::ranges::find_if(items_, [cookie](const auto& known) {
      return cookie != 0 && os::cookie_of(known.second.fd.get()) == cookie;
    });
    if (same != items_.end()) {
      same->second.kept = true;
      return;
    }
  }
  items_.emplace(std::move(name), std::move(passed));
}

inheritance::claim inheritance::take(const std::string& name, const os::socket_address& wanted,
                                     bool of_predecessor) {
  std::string elsewhere;
  for (const bool predecessors : {true, false}) {
    if (predecessors && !of_predecessor) continue;
    const auto which = find(name, wanted, predecessors, elsewhere);
    if (which == items_.end()) continue;
    const auto bound = os::socket_address::bound_to(which->second.fd.get());
    claim result{found{std::move(which->second), bound, which->first}, {}};
    items_.erase(which);
    return result;
  }
  return {{}, std::move(elsewhere)};
}

inheritance::items::iterator inheritance::find(const std::string& name,
                                               const os::socket_address& wanted,
                                               bool of_predecessor, std::string& elsewhere) {
  const auto eligible = [of_predecessor](const item& i) {
    return (i.from == origin::predecessor) == of_predecessor;
  };
  const auto [first, last] = items_.equal_range(name);
  for (auto same = first; same != last; ++same) {
    if (!eligible(same->second)) continue;
    const auto bound = os::socket_address::bound_to(same->second.fd.get());
    // A descriptor that is not a TCP socket is taken too; the check that follows reports it.
    if (bound.satisfies(wanted) || (bound.family() != AF_INET && bound.family() != AF_INET6)) {
      return same;
    }
    elsewhere = bound.to_string();
  }
  return std::find_if(items_.begin(), items_.end(), [&](const auto& known) {
    const int fd = known.second.fd.get();
    return eligible(known.second) && (wanted.port() != 0 || akin(known.first, fd, name)) &&
           os::socket_address::bound_to(fd).satisfies(wanted);
  });
}

}  // namespace graceful
