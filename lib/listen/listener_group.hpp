// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_LISTENER_GROUP_HPP
#define GRACEFUL_LISTEN_LISTENER_GROUP_HPP

#include "listen/inventory.hpp"
#include "listen/listener.hpp"
#include "os/log.hpp"
#include "os/socket_address.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace graceful {

/// Makes a listener on `wanted` for each executor, each with its own socket: see
/// `upgrader::listen_group`.
result<std::vector<std::shared_ptr<detail::listener>>> listen_group(
    const std::shared_ptr<inventory>& sockets, log& log,
    const std::vector<boost::asio::any_io_executor>& executors, std::string_view name,
    const os::socket_address& wanted, const listen_params& params);

}  // namespace graceful

#endif
