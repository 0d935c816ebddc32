// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_HPP
#define GRACEFUL_TESTING_HPP

/// The test kit: zero-downtime deploys as integration tests, in any test framework.
/// See docs/testing.md.
#include <graceful/testing/census.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/deployment.hpp>
#include <graceful/testing/deployment_params.hpp>
#include <graceful/testing/fault.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/leak_report.hpp>
#include <graceful/testing/load.hpp>
#include <graceful/testing/load_report.hpp>
#include <graceful/testing/pending_upgrade.hpp>
#include <graceful/testing/process.hpp>
#include <graceful/testing/request_lost.hpp>
#include <graceful/testing/scenario.hpp>
#include <graceful/testing/scenario_result.hpp>
#include <graceful/testing/upgrade_outcome.hpp>
#include <graceful/testing/upgrade_params.hpp>

#endif
