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

TEST_CASE("a listener that was dropped is told by its address, and so is the one in its place") {
  const auto text = describe(status_with_dropped({"127.0.0.1:18080", "[::1]:9"}));
  CHECK(has_line(text,
                 "  nobody listens on 127.0.0.1:18080 ('http') any more since the last "
                 "upgrade: this build listens on 127.0.0.1:18090"));
  CHECK(has_line(text,
                 "  nobody listens on [::1]:9 ('admin') any more since the last upgrade: this "
                 "build does not listen there"));
}

TEST_CASE("a listener that an older server has dropped is told by its name") {
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
