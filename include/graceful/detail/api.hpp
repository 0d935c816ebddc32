// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_API_HPP
#define GRACEFUL_DETAIL_API_HPP

/// Marks what the shared library exports; everything else is built with hidden visibility.
#define GRACEFUL_API __attribute__((visibility("default")))

#endif
