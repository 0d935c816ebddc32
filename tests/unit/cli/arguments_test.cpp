// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What `graceful-ctl run` makes of its options. What is wrong with a command line is tested where
// the program itself says so.
#include "arguments.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace graceful::cli;
using namespace std::chrono_literals;

namespace {

graceful::supervisor_params run_params(std::vector<std::string> options) {
  options.insert(options.begin(), "run");
  options.insert(options.end(), {"--", "server", "--listen", "127.0.0.1:0"});
  auto parsed = parse(options);
  REQUIRE(parsed.has_value());
  CHECK(parsed->what == arguments::command::run);
  CHECK(parsed->supervise.command == std::vector<std::string>{"server", "--listen", "127.0.0.1:0"});
  return parsed->supervise;
}

}  // namespace

TEST_CASE("run without options has the supervisor's own defaults") {
  const auto params = run_params({});
  const graceful::supervisor_params defaults;
  CHECK(params.name.empty());
  CHECK(params.control_path.empty());
  CHECK(params.socket_path.empty());
  CHECK(params.first_delay == defaults.first_delay);
  CHECK(params.longest_delay == defaults.longest_delay);
  CHECK(params.max_failures == defaults.max_failures);
  CHECK(params.good_while == defaults.good_while);
  CHECK(params.ready_timeout == defaults.ready_timeout);
}

TEST_CASE("each option of run sets its value; a number alone is seconds") {
  const auto params = run_params({"--control", "/c", "--socket", "/s", "--restart-delay", "0.25",
                                  "--max-restart-delay", "1min 2s", "--max-failures", "0",
                                  "--good-while", "3", "--ready-timeout", "4.5"});
  CHECK(params.control_path == "/c");
  CHECK(params.socket_path == "/s");
  CHECK(params.first_delay == 250ms);
  CHECK(params.longest_delay == 62s);
  CHECK(params.max_failures == 0);
  CHECK(params.good_while == 3s);
  CHECK(params.ready_timeout == 4500ms);
  CHECK(run_params({"--name", "shop"}).name == "shop");
}

TEST_CASE("a number of failures is a whole number, and not negative") {
  CHECK(run_params({"--max-failures", "1000000"}).max_failures == 1'000'000);
  for (const char* wrong : {"-1", "1.5", "1000001", "nan", "many"}) {
    CAPTURE(wrong);
    CHECK(parse({"run", "--max-failures", wrong, "--", "server"}).error().code ==
          graceful::errc::invalid_argument);
  }
}

TEST_CASE("a directory for a new process is relative to the caller's own") {
  const auto directory_of = [](const std::string& given) {
    return parse({"upgrade", "shop", "--directory", given}).value().upgrade.directory;
  };
  CHECK(directory_of("/srv/app/current/..") == "/srv/app/current/..");
  CHECK(directory_of("next") == std::filesystem::current_path().string() + "/next");
  CHECK(parse({"upgrade", "shop", "--directory", ""}).error().code ==
        graceful::errc::invalid_argument);
  CHECK(parse({"drain", "shop", "--directory", "/"}).error().code ==
        graceful::errc::invalid_argument);
}

TEST_CASE("words after -- belong to the server, even those that look like options of run") {
  const auto parsed = parse({"run", "--", "server", "--", "--name", "x"});
  REQUIRE(parsed.has_value());
  CHECK(parsed->supervise.command == std::vector<std::string>{"server", "--", "--name", "x"});
  CHECK(parsed->supervise.name.empty());
}

TEST_CASE("a command line of run without -- is answered with where the command goes") {
  const auto answer = [](const std::vector<std::string>& words) {
    return parse(words).error().message;
  };
  for (const auto& words : {std::vector<std::string>{"run", "./v", "plain"}, {"run", "./v"}}) {
    CHECK(answer(words).find("'./v' follows run: the command goes behind --") == 0);
  }
  CHECK(answer({"run", "./v", "--listen", "127.0.0.1:80"}).find("run [OPTIONS] -- COMMAND") !=
        std::string::npos);
  CHECK(answer({"status", "--listen", "x"}).find("COMMAND") == std::string::npos);
}
