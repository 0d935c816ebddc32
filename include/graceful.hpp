// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HPP
#define GRACEFUL_HPP

#include <graceful/acceptor.hpp>
#include <graceful/connection.hpp>
#include <graceful/control_client.hpp>
#include <graceful/duration_text.hpp>
#include <graceful/errc.hpp>
#include <graceful/error.hpp>
#include <graceful/io_context_pool.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>
#include <graceful/server.hpp>
#include <graceful/supervisor.hpp>
#include <graceful/supervisor_client.hpp>
#include <graceful/unique_fd.hpp>
#include <graceful/upgrader.hpp>
#include <graceful/version.hpp>

#endif
