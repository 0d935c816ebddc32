// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "report.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace graceful::cli;

namespace {

graceful::server_status status_with_dropped(std::vector<std::string> addresses) {
  graceful::server_status status{.name = "shop", .generation = 2, .pid = 812, .state = "serving"};
  status.listeners = {{"http", "127.0.0.1:18090", 0, 128}};
  status.dropped = {"http", "admin"};
  status.dropped_addresses = std::move(addresses);
  return status;
}

bool has_line(const std::string& text, const std::string& line) {
  return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

}  // namespace

TEST_CASE("a dropped listener is shown with its address, and so is the one that replaces it") {
  const auto text = describe(status_with_dropped({"127.0.0.1:18080", "[::1]:9"}));
  CHECK(has_line(text,
                 "  nobody listens on 127.0.0.1:18080 ('http') any more since the last "
                 "upgrade: this build listens on 127.0.0.1:18090"));
  CHECK(has_line(text,
                 "  nobody listens on [::1]:9 ('admin') any more since the last upgrade: this "
                 "build does not listen there"));
}

TEST_CASE("a listener that an older server has dropped is shown with its name") {
  const auto text = describe(status_with_dropped({}));
  CHECK(has_line(text,
                 "  nobody listens on 'admin' any more since the last upgrade: this build does "
                 "not listen there"));
  graceful::upgrade_phase phase{.phase = "committed", .generation = 2};
  phase.dropped = {"admin"};
  CHECK(describe(phase).find(
            "nobody listens on 'admin' any more: the new build does not listen there") !=
        std::string::npos);
}

TEST_CASE("status shows how many connections a draining process has left, if it tracks any") {
  graceful::server_status status{.name = "shop", .generation = 4, .pid = 814, .state = "serving"};
  status.draining = {{1, 811, 0}, {2, 812, 1}, {3, 813, {}}};
  const auto text = describe(status);
  CHECK(has_line(text,
                 "  generation 1, pid 811, drains, waiting for what still runs; no connection is "
                 "tracked"));
  CHECK(has_line(text, "  generation 2, pid 812, drains, 1 connection left"));
  CHECK(has_line(text, "  generation 3, pid 813, drains"));
  for (auto& process : status.draining) process.hurried = true;
  const auto hurried = describe(status);
  CHECK(has_line(hurried,
                 "  generation 1, pid 811, drains, told to hurry, waiting for what still runs; no "
                 "connection is tracked"));
  CHECK(has_line(hurried, "  generation 2, pid 812, drains, 1 connection left, told to cut them"));
}

TEST_CASE("a drain without tracked connections is shown without a number") {
  CHECK(describe(graceful::drain_progress{.phase = "draining"}) ==
        "+0 ms      draining, waiting for what still runs; no connection is tracked\n");
}
