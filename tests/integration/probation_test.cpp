// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "process_table.hpp"
#include "site.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

/// A server under load whose successor has taken over and is on probation, for a minute.
struct on_probation {
  explicit on_probation(std::vector<std::string> arguments = {}, const char* probation = "60000")
      : s{with(std::move(arguments), probation)} {
    kept.start();
    connecting.start();
    REQUIRE(kept.wait_for(50, patience));
    REQUIRE(connecting.wait_for(50, patience));
    ctl = &s.scene().start({programs::graceful_ctl(), "upgrade", s.control()});
    REQUIRE(ctl->wait_for_output("ready: generation 2", patience));
    REQUIRE(connecting.wait_for_generation(2, 20, patience));
    const auto text = ctl->output();
    successor = open_pidfd(std::stoi(text.substr(text.find("spawned pid ") + 12)));
  }

  static std::vector<std::string> with(std::vector<std::string> arguments, const char* probation) {
    arguments.insert(arguments.end(), {"--probation", probation});
    return arguments;
  }

  /// `generation` serves who comes. The connections that were kept stay where they are. Only
  /// requests within a process that was killed may be lost, and nothing is ever refused.
  void serves(std::uint64_t generation, bool killed = false) {
    REQUIRE(connecting.wait_for(50, patience));
    REQUIRE(kept.wait_for(50, patience));
    const auto connected = connecting.stop();
    const auto continued = kept.stop();
    INFO(connected.to_string(), continued.to_string(), s.scene().report());
    CHECK(connected.refused == 0);
    CHECK(continued.refused == 0);
    if (!killed) {
      CHECK(connected.lost() == 0);
      CHECK(continued.lost() == 0);
    }
    load last{s.load_on(false)};
    last.start();
    CHECK(last.wait_for(20, patience));
    const auto seen = last.stop();
    CHECK(seen.lost() == 0);
    CHECK(seen.by_generation.size() == 1);
    CHECK(seen.by_generation.contains(generation));
  }

  void rolled_back(const std::string& reason) {
    REQUIRE(ctl->wait_exit(patience));
    CHECK(ctl->wait_exit(patience)->exited(1));
    CHECK(ctl->output().find("rolled back: " + reason) != std::string::npos);
    CHECK(s.server().output().find("rolled back: " + reason) != std::string::npos);
    const auto status = s.status().out;
    CHECK(status.find("generation 1, pid " + std::to_string(s.server().pid()) + ", serving") !=
          std::string::npos);
    CHECK(status.find("the last upgrade failed: rolled back: " + reason) != std::string::npos);
  }

  site s;
  load kept{s.load_on(true)};
  load connecting{s.load_on(false)};
  process* ctl = nullptr;
  graceful::unique_fd successor;
};

/// A successor that dies in its probation costs what was in it, and its predecessor serves on.
void successor_dies(std::vector<std::string> arguments, int signal, const std::string& reason) {
  on_probation p{std::move(arguments)};
  REQUIRE(send_signal(p.successor, signal));
  p.rolled_back(reason);
  p.serves(1, true);
}

}  // namespace

TEST_CASE("in probation the predecessor waits, answers, and names what can be done") {
  on_probation p;
  const auto status = p.s.status().out;
  CHECK(status.find("generation 1, pid ") != std::string::npos);
  CHECK(status.find(", probation,") != std::string::npos);
  CHECK(status.find("serves, in probation: graceful-ctl commit, graceful-ctl rollback") !=
        std::string::npos);
  const auto busy = p.s.upgrade();
  CHECK(busy.status == "exited 75");
  CHECK(busy.all.find("generation 2 is in probation for another ") != std::string::npos);
  CHECK(busy.all.find("graceful-ctl commit, graceful-ctl rollback") != std::string::npos);
  CHECK(p.s.ctl({"abort", p.s.control()}).status == "exited 1");
  CHECK(p.s.ctl({"drain", p.s.control()}).status == "exited 75");
  REQUIRE(send_signal(p.successor, SIGUSR2));
  CHECK(p.s.server().wait_for_output("SIGUSR2: no upgrade: this process is in its probation",
                                     patience));
  CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 0");
  CHECK(p.ctl->wait_exit(patience)->exited(0));
  p.serves(2);
}

TEST_CASE("a probation that passes commits by itself, and the next upgrade follows") {
  site s{{"--probation", "100"}};
  load clients{s.load_on(false)};
  clients.start();
  for (int generation = 2; generation <= 4; ++generation) {
    const auto done = s.upgrade();
    INFO(done.all);
    CHECK(done.status == "exited 0");
    CHECK(done.out.find("committed: generation " + std::to_string(generation)) !=
          std::string::npos);
    CHECK(s.generation() == generation);
  }
  CHECK(clients.stop().lost() == 0);
  CHECK(s.server().wait_exit(patience)->exited(0));
}

TEST_CASE("upgrade --until ready returns in the probation, --until drained at the end of all") {
  site s{{"--probation", "200"}};
  const auto ready = s.upgrade({"--until", "ready"});
  CHECK(ready.status == "exited 0");
  CHECK(ready.out.find("ready: generation 2") != std::string::npos);
  CHECK(ready.out.find("committed") == std::string::npos);
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(s.server().wait_exit(patience)->exited(0));
  const auto drained = s.upgrade({"--until", "drained"});
  INFO(drained.all);
  CHECK(drained.status == "exited 0");
  CHECK(drained.out.find("the old process has ended") != std::string::npos);
  CHECK(s.status().out.find("still drains") == std::string::npos);
}

TEST_CASE("a successor that is killed in its probation costs what was in it, and nothing else") {
  successor_dies({}, SIGKILL, "the successor was killed by signal 9 (SIGKILL) in its probation");
}

TEST_CASE("a successor that crashes in its probation costs what was in it, and nothing else") {
  successor_dies({"--threads", "4"}, SIGSEGV,
                 "the successor was killed by signal 11 (SIGSEGV) in its probation");
}

TEST_CASE("a predecessor with a plain acceptor goes on too, on one thread and on four") {
  successor_dies({"--plain-acceptor"}, SIGKILL, "the successor was killed by signal 9");
  successor_dies({"--plain-acceptor", "--threads", "4"}, SIGKILL,
                 "the successor was killed by signal 9");
}

TEST_CASE(
    "a successor that ends in its probation has its predecessor go on first: nothing is lost") {
  on_probation p;
  REQUIRE(send_signal(p.successor, SIGTERM));
  p.rolled_back("the successor was told to end");
  p.serves(1);
}

TEST_CASE("a rollback by an operator loses nothing, and the successor drains and ends") {
  on_probation p{{"--threads", "2"}};
  CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 0");
  p.rolled_back("an operator asked for it");
  CHECK(wait_readable(p.successor.get(), patience));
  CHECK(p.s.server().wait_for_output("the successor that was rolled back exited with status 0",
                                     patience));
  p.serves(1);
  CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 1");
  CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 1");
}

TEST_CASE("after a rollback the next upgrade works, also with a plain acceptor") {
  for (const char* acceptor : {"--probation", "--plain-acceptor"}) {
    const bool plain = std::string{acceptor} == "--plain-acceptor";
    on_probation p{plain ? std::vector<std::string>{acceptor} : std::vector<std::string>{}};
    CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 0");
    p.rolled_back("an operator asked for it");
    CHECK(p.s.upgrade({"--until", "ready"}).status == "exited 0");
    CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 0");
    p.serves(2);
    CHECK(p.s.server().wait_exit(patience)->exited(0));
  }
}

TEST_CASE("a predecessor that is killed in the probation leaves a successor that serves for good") {
  on_probation p;
  p.s.server().signal(SIGKILL);
  REQUIRE(p.s.server().wait_exit(patience));
  CHECK(p.ctl->wait_exit(patience)->exited(0));  // it has looked who serves
  CHECK(p.s.generation() == 2);
  p.serves(2, true);
}

TEST_CASE("a predecessor that is told to end in the probation commits") {
  on_probation p;
  p.s.server().signal(SIGTERM);
  CHECK(p.s.server().wait_exit(patience)->exited(0));
  CHECK(p.ctl->wait_exit(patience)->exited(0));
  CHECK(p.s.generation() == 2);
  p.serves(2);
}

TEST_CASE("where both are told to end, both end, and nobody is reset") {
  on_probation p;
  // The predecessor first: it commits, and the successor finds nobody to go back to.
  p.s.server().signal(SIGTERM);
  REQUIRE(send_signal(p.successor, SIGTERM));
  CHECK(p.s.server().wait_exit(patience)->exited(0));
  CHECK(wait_readable(p.successor.get(), patience));
  const auto seen = p.connecting.stop();
  INFO(seen.to_string(), p.s.scene().report());
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
}

TEST_CASE("a successor that is killed as soon as it is committed is not rolled back") {
  site s{{"--probation", "0"}};
  REQUIRE(s.upgrade().status == "exited 0");
  const auto successor = open_pidfd(static_cast<pid_t>(s.pid()));
  REQUIRE(send_signal(successor, SIGKILL));
  CHECK(s.server().wait_exit(patience)->exited(0));
  CHECK(s.status().status == "exited 7");
}
