// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Several listeners on one address, for as many executors.
#include "listen/listener.hpp"

#include <boost/system/error_category.hpp>

#include <cstddef>
#include <string>

namespace graceful {

namespace {

using listeners = std::vector<std::shared_ptr<detail::listener>>;

std::string member(std::string_view name, std::size_t number) {
  return std::string{name} + '/' + std::to_string(number);
}

/// The address may be held by another user, or its port may be one that only root can bind.
bool cannot_be_bound(const failure& why) {
  return why.code.category() == boost::system::system_category();
}

}  // namespace

result<listeners> listen_group(const std::shared_ptr<inventory>& sockets, log& log,
                               const std::vector<asio::any_io_executor>& executors,
                               std::string_view name, const os::socket_address& wanted,
                               const listen_params& params) {
  if (executors.empty() || name.empty()) {
    return failure{errc::invalid_argument,
                   "a group of listeners needs a name and at least one executor"};
  }
  const auto first = sockets->obtain_first(member(name, 0), wanted, params);
  if (!first) return first.error();

  listeners group;
  const auto add = [&](const shared_socket& socket) {
    const auto& executor = executors[group.size()];
    group.push_back(socket->late
                        ? std::make_shared<detail::listener>(executor, socket->name, sockets)
                        : std::make_shared<detail::listener>(executor, socket, sockets));
    sockets->attach(socket->name, group.back());
  };
  add(*first);
  while (group.size() < executors.size()) {
    const auto next = sockets->obtain_beside(**first, member(name, group.size()), params);
    if (next) {
      add(*next);
    } else if ((*first)->adopted && cannot_be_bound(next.error())) {
      log.warning("listeners '" + std::string{name} + "': only " + std::to_string(group.size()) +
                  " for " + std::to_string(executors.size()) +
                  " executors: " + next.error().message);
      break;
    } else {
      for (const auto& listener : group) listener->close();
      return next.error();
    }
  }
  return group;
}

}  // namespace graceful
