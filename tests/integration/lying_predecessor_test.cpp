// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace graceful_test;

namespace {

/// A successor meets a predecessor that lies. It must say what is wrong, and exit non-zero.
void is_found_out(const std::vector<std::string>& lie, const std::string& says,
                  process_options options = {}) {
  scene s;
  const auto control = s.path("control.sock");
  process& predecessor = s.start(
      joined(joined(programs::python("lying_predecessor.py"), lie), {"--control", control}));
  REQUIRE(predecessor.wait_for_output("listening", patience));
  std::vector<std::string> command{programs::http_server(), "--control", control, "--listen",
                                   "127.0.0.1:0",           "--takeover"};
  // The successor waits for those that send nothing.
  for (const char* silent : {"closes", "mute", "hangs"}) {
    if (lie.front() == silent) command.insert(command.end(), {"--handoff-timeout", "1s"});
  }
  const auto successor = run(s, std::move(command), std::move(options));
  INFO(successor.all);
  CHECK(successor.status == "exited 1");
  CHECK(contains(successor.all, says));
  CHECK(predecessor.running());
}

}  // namespace

TEST_CASE("fewer descriptors than announced are noticed") {
  is_found_out({"fewer-descriptors"}, "announced 3 descriptors and passed 2");
}

TEST_CASE("more descriptors than announced are noticed") {
  is_found_out({"more-descriptors"}, "announced 3 descriptors and passed 4");
}

TEST_CASE("no descriptors at all are noticed") {
  is_found_out({"no-descriptors"}, "announced 3 descriptors and passed 0");
}

TEST_CASE("a pipe in place of a socket is noticed") {
  is_found_out({"wrong-kind", "--kind", "pipe"}, "listener 'http': what was passed is no socket");
}

TEST_CASE("a UDP socket in place of a TCP socket is noticed") {
  is_found_out({"wrong-kind", "--kind", "udp"},
               "listener 'http': what was passed is no TCP socket");
}

TEST_CASE("a socket that does not listen is noticed") {
  is_found_out({"not-listening"},
               "listener 'http': what was passed is a socket that does not listen");
}

TEST_CASE("another protocol version is named") {
  is_found_out({"wrong-version"}, "the predecessor refused: ");
}

TEST_CASE("a successor gives up on a predecessor that sends junk") {
  is_found_out({"junk"}, "does not keep to the handoff protocol: what it sent is not a reply");
}

TEST_CASE("an endless answer is cut off") {
  is_found_out({"huge"}, "does not keep to the handoff protocol");
}

TEST_CASE("a predecessor that closes but is alive is not replaced") {
  is_found_out({"closes"}, "the predecessor closed the connection, but keeps serving");
}

TEST_CASE(
    "a predecessor that closes without an answer is asked again, and not replaced if it is alive") {
  is_found_out({"mute"}, "the predecessor closed the connection, but keeps serving");
}

TEST_CASE("a successor gives up on a predecessor that never answers") {
  is_found_out({"hangs"}, "the predecessor did not answer in time");
}

TEST_CASE("a negative number of descriptors is noticed") {
  is_found_out({"negative-count"},
               "its reply to Begin lacks a parameter or has one of a wrong type");
}

TEST_CASE("descriptors that do not fit below RLIMIT_NOFILE are noticed") {
  process_options low;
  low.descriptor_limit = 64;
  is_found_out({"many", "200"}, "raise the limit of open files (RLIMIT_NOFILE, ulimit -n)", low);
}
