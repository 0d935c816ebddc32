// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervised.hpp"
