// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
