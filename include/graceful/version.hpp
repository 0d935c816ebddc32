// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_VERSION_HPP
#define GRACEFUL_VERSION_HPP

#define GRACEFUL_VERSION_MAJOR 0
#define GRACEFUL_VERSION_MINOR 1
#define GRACEFUL_VERSION_PATCH 0
#define GRACEFUL_VERSION_STRING "0.1.0"

#endif
