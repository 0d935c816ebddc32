// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// docs/protocol.md is enough: a server that was written from it takes over from the library, and
// hands over to it.
#include <graceful/testing/census.hpp>

#include "relay.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace graceful_test;

namespace {

/// Five generations, the second and the fourth in Python.
void alternate(const std::vector<std::string>& arguments, const std::vector<std::string>& python) {
  relay r{arguments};
  for (std::uint64_t generation = 2; generation <= 5; ++generation) {
    r.deployed(generation % 2 == 0 ? r.python(python) : r.s.command(), generation);
    if (generation % 2 == 0) {
      CHECK(descriptors_without_cloexec(r.s.pid()).empty());
    }
  }
  CHECK(r.s.generation() == 5);
  r.costs();
  const auto after_python = r.s.at_rest(r.s.pid());
  REQUIRE(r.s.upgrade().status == "exited 0");
  const auto after_itself = r.s.pid();
  INFO(take_census(after_itself).to_string(), after_python.to_string());
  CHECK(wait_for_census(after_itself, after_python, patience));
  r.ends();
}

/// The pid that the Python generation `number` has printed.
pid_t pid_of(server_fixture& s, int number) {
  const auto line = "interop: ready: generation " + std::to_string(number) + " pid ";
  REQUIRE(s.server().wait_for_output(line, patience));
  const auto text = s.server().output();
  return std::stoi(text.substr(text.find(line) + line.size()));
}

}  // namespace

TEST_CASE("C++ and Python generations replace one another, and clients notice nothing") {
  alternate({}, {});
}

TEST_CASE("C++ and Python generations replace one another with a probation on either side") {
  alternate({"--probation", "200ms", "--threads", "2"}, {"--probation", "200ms"});
}

TEST_CASE("a generation of either kind takes over if GRACEFUL_TAKEOVER says so, and only then") {
  relay r;
  process_options told;
  told.environment = {{"GRACEFUL_TAKEOVER", "1"}};
  r.s.scene().start(r.python(), told);
  REQUIRE(r.at_work.connecting.wait_for_generation(2, 20, patience));
  process& third = r.s.scene().start(r.s.command(), told);
  REQUIRE(third.wait_for_output("ready: generation 3 ", patience));
  REQUIRE(r.at_work.connecting.wait_for_generation(3, 20, patience));
  r.costs();
  CHECK(r.s.scene().start(r.python()).wait_exit(patience).exited(1));  // it was not told to take
                                                                       // over
  r.ends();
}

TEST_CASE("a Python generation holds no more than the one before it, and reaps its successor") {
  relay r;
  r.costs();
  for (int generation = 2; generation <= 4; ++generation) {
    REQUIRE(r.deploy(r.python()).status == "exited 0");
    REQUIRE(r.s.server().wait_for_output(
        "interop: generation " + std::to_string(generation - 1) + " has ended", patience));
  }
  const auto rests = [&] { return take_census(pid_of(r.s, 4)); };
  REQUIRE(r.deploy({"/bin/false"}).status == "exited 1");
  INFO(rests().to_string());
  // The lock, the control socket, the listener; epoll, the socket pair for signals, the outputs.
  CHECK(wait_for_census(pid_of(r.s, 4), {9, 4, 3, 1, 0, {}}, patience));
  r.ends();
}
