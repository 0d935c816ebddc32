// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl run: what clients see when the server dies, or the supervisor.
#include <graceful/control_client.hpp>
#include <graceful/testing/load.hpp>
#include <graceful/testing/request_lost.hpp>

#include "supervised.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

bool keeps_one(const graceful::supervisor_status& s) { return s.kept.size() == 1; }

/// Kills the server again and again, at different moments, under load.
void survives(const std::vector<std::string>& server, int kills) {
  const char* given = std::getenv("GRACEFUL_TEST_SEED");
  const auto seed =
      given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
  MESSAGE("GRACEFUL_TEST_SEED=", seed);
  std::mt19937 random{seed};
  supervised_under_load s{server};
  s.wait(keeps_one);
  auto main = s.wait_main();
  for (int i = 0; i < kills; ++i) {
    s.go_on(1 + random() % 60);
    REQUIRE(::kill(main, SIGKILL) == 0);
    main = s.wait_main(main);
  }
  s.go_on(10);
  CHECK(s.never_refused(kills).other == 0);
  const auto status = s.status();
  CHECK(status.restarts == static_cast<std::uint64_t>(kills));
  CHECK(status.kept.size() == 1);
}

}  // namespace

TEST_CASE(
    "a server that knows only sd_notify is killed a hundred times, and no client is refused") {
  survives(notifying_server({"0"}), 100);
}

TEST_CASE(
    "a socket that a server stores is kept by name, comes back by name, and goes with the server") {
  supervised s{notifying_server({"0"})};
  const auto port = s.port();
  const auto status = s.wait(keeps_one);
  CHECK(status.kept.front().name == "http");
  CHECK(status.kept.front().address == "127.0.0.1:" + std::to_string(port));
  CHECK(status.said == "python serves");
  const auto shown = s.ctl({"status", s.control()});
  CHECK(contains(shown.out, "  keeps http  127.0.0.1:" + std::to_string(port)));
  ::kill(s.wait_main(), SIGKILL);
  CHECK(s.supervisor().wait_for_output("passed: 1 http", patience));
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(143));
}

TEST_CASE(
    "a supervisor that executes itself again loses no socket, and misses no end of the server") {
  supervised_under_load s{notifying_server({"0"})};
  auto main = s.wait_main();
  s.wait(keeps_one);
  const auto pid = s.supervisor().pid();
  for (int i = 0; i < 5; ++i) {
    const auto done = s.ctl({"reexec", s.control()});
    INFO(done.all, s.supervisor().output());
    REQUIRE(done.status == "exited 0");
    CHECK(s.status().pid == pid);
    CHECK(keeps_one(s.status()));
    CHECK(s.status().main_pid == main);
    s.go_on(10);
    ::kill(main, SIGKILL);
    main = s.wait_main(main);
    CHECK(s.status().restarts == static_cast<std::uint64_t>(i + 1));
    std::ifstream environment{"/proc/" + std::to_string(main) + "/environ"};
    const std::string all{std::istreambuf_iterator<char>{environment}, {}};
    CHECK(contains(all, "GRACEFUL_SUPERVISOR="));
    CHECK_FALSE(contains(all, "GRACEFUL_REEXEC="));  // that one belongs to the supervisor
  }
  CHECK(descriptors_without_cloexec(pid).empty());
  s.go_on(10);
  s.never_refused(5);
}

TEST_CASE("a supervisor does not switch to a program that does not start, or is a different one") {
  supervised s{{"/bin/sleep", "1000"}};  // for its scene
  const auto program = s.scene().path("ctl");
  const auto control = s.scene().path("other.sock");
  const auto put = [&](const std::string& target) {
    const auto next = program + ".next";
    std::filesystem::create_symlink(target, next);
    std::filesystem::rename(next, program);
  };
  const auto hanging = s.scene().path("hanging");
  std::ofstream{hanging} << "#!/bin/sh\nexec sleep 1000\n";
  std::filesystem::permissions(hanging, std::filesystem::perms::owner_all);
  put(programs::graceful_ctl());
  process& supervisor =
      s.scene().start({program, "run", "--control", control, "--", "/bin/sleep", "1000"});
  REQUIRE(supervisor.wait_for_output("started the server", patience));
  const auto client = [&] {
    return graceful::supervisor_client::connect(control + ".supervisor", patience);
  };
  const auto main = client().value().status().value().main_pid;
  for (const auto& [other, says] :
       {std::pair{"/bin/false", "in a trial it exited with status 1"},
        std::pair{"/bin/true", "in a trial it exited with status 0"},
        std::pair{hanging.c_str(), "in a trial it was not ready within 4 s"},
        std::pair{"/nonexistent", "No such file or directory"}}) {
    put(other);
    const auto done = s.ctl({"reexec", control, "--timeout", "30"});
    INFO(done.all);
    CHECK(done.status == "exited 1");
    CHECK(contains(done.all, says));
    CHECK(contains(done.all, "the supervisor goes on unchanged"));
    CHECK(client().value().status().value().main_pid == main);
  }
  put(programs::graceful_ctl());
  CHECK(s.ctl({"reexec", control}).status == "exited 0");
  CHECK(client().value().status().value().main_pid == main);
  CHECK(descriptors_without_cloexec(supervisor.pid()).empty());
  supervisor.signal(SIGTERM);
  CHECK(supervisor.wait_exit(patience).exited(143));
}

TEST_CASE(
    "a server that takes over from one under another supervisor belongs to its own supervisor") {
  supervised_under_load first{supervised::http()};
  first.wait(keeps_one);
  first.go_on();
  supervised second{first,
                    at_port(supervised::http(), first.port()),
                    {.environment = {{"GRACEFUL_TAKEOVER", "1"}}}};
  REQUIRE(second.supervisor().wait_for_output("ready: generation 2", patience));
  CHECK(first.supervisor().wait_exit(patience).exited(0));
  const auto main = second.wait_main();
  second.wait(keeps_one);
  first.go_on();
  ::kill(main, SIGKILL);
  second.wait_main(main);
  first.go_on();
  INFO(second.supervisor().output());
  first.never_refused(1);
  CHECK(second.status().restarts == 1);
}

TEST_CASE("a server is killed a hundred times, and no client is refused") {
  survives(supervised::http(), 100);
}

TEST_CASE(
    "a server behind shells that is killed serves on its port again, and no client is refused") {
  const auto port = supervised{supervised::http()}.port();
  auto command = at_port(supervised::http(), port);
  const std::string shell = "\"$0\" \"$@\"; exit $?";  // without exec: the server is its child
  command.insert(command.begin(), {"/bin/sh", "-c", shell, "/bin/bash", "-c", shell});
  supervised_under_load s{command};
  const auto server = [&] {
    return graceful::control_client::connect(s.control(), patience).value().status().value();
  };
  constexpr int kills = 3;
  for (int i = 0; i < kills; ++i) {
    s.wait(keeps_one);
    const auto main = s.wait_main();
    s.wait([](const auto& it) { return it.said == "generation 1 serves"; });
    s.go_on(10);
    REQUIRE(server().pid != main);
    REQUIRE(::kill(static_cast<pid_t>(server().pid), SIGKILL) == 0);
    s.wait_main(main);
  }
  s.wait([](const auto& it) { return it.said == "generation 1 serves"; });
  s.go_on(10);
  s.never_refused(kills);
  CHECK(s.status().restarts == kills);
  CHECK(s.status().kept.size() == 1);
}

TEST_CASE("a killed successor is started again, with the sockets of its predecessor") {
  supervised_under_load s{supervised::http()};
  const auto first = s.wait_main();
  s.wait(keeps_one);
  s.go_on();
  REQUIRE(s.ctl({"upgrade", s.control()}).status == "exited 0");
  const auto second = s.wait_main(first);
  s.go_on();
  CHECK(s.status().restarts == 0);
  s.wait(keeps_one);
  ::kill(second, SIGKILL);
  s.wait_main(second);
  s.go_on();
  s.never_refused(1);
  CHECK(s.status().restarts == 1);
}

TEST_CASE("clients of a server that is given up are refused, even while an older process drains") {
  supervised s{supervised::http(), {"--max-failures", "1"}};
  const auto port = s.port();
  const auto first = s.wait_main();
  const auto target = resolve("127.0.0.1", port, patience);
  auto held = hold_on(port);
  REQUIRE(s.ctl({"upgrade", s.control()}).status == "exited 0");
  s.wait(keeps_one);
  ::kill(s.wait_main(first), SIGKILL);
  CHECK(s.wait([](const auto& it) { return it.state == "ending"; }).kept.empty());
  CHECK_THROWS_AS(http_connection(target, 1), request_lost);
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 1);
  CHECK(s.supervisor().wait_exit(patience).exited(137));
}

TEST_CASE(
    "a server serves without its supervisor, finds the next one, and stores its sockets there") {
  supervised_under_load s{supervised::http()};
  const auto first = s.wait_main();
  s.wait(keeps_one);
  REQUIRE(s.ctl({"upgrade", s.control()}).status == "exited 0");
  const auto main = s.wait_main(first);  // not the one that the supervisor had started
  s.wait(keeps_one);
  s.supervisor().signal(SIGKILL);
  REQUIRE(s.supervisor().wait_exit(patience));
  s.go_on(100);

  process& next = s.start();
  s.wait(keeps_one);
  CHECK(s.wait_main() == main);
  CHECK(s.status().pid == next.pid());
  s.go_on();
  ::kill(main, SIGKILL);
  const auto started = s.wait_main(main);
  s.go_on();
  s.never_refused(1);
  CHECK(s.status().restarts == 1);
  CHECK(started != main);
  next.signal(SIGTERM);
  CHECK(next.wait_exit(patience).exited(0));
}

TEST_CASE(
    "a killed supervisor leaves its server to the next one, whichever process serves by then") {
  supervised s{{"/bin/sleep", "1000"}};
  const auto main = s.wait_main();
  s.supervisor().signal(SIGKILL);
  REQUIRE(s.supervisor().wait_exit(patience));
  process& next = s.start();
  CHECK(s.wait_main() == main);
  CHECK(contains(next.output(), "takes care of it from now on"));
  next.signal(SIGTERM);
  CHECK(next.wait_exit(patience).exited(0));
  CHECK(s.scene().wait_all_gone(patience));
}

TEST_CASE("a server that a supervisor left behind, and that has ended since, is started") {
  supervised s{{"/bin/sleep", "1000"}};
  const auto main = s.wait_main();
  s.supervisor().signal(SIGKILL);
  REQUIRE(s.supervisor().wait_exit(patience));
  const auto pidfd = open_pidfd(main);
  REQUIRE(send_signal(pidfd, SIGKILL));
  REQUIRE(wait_readable(pidfd.get(), patience));
  s.start();
  CHECK(s.wait_main() != main);
}

TEST_CASE("a supervised server that is told to end resets nobody, whoever tells it") {
  enum class by { signal, drain, signal_after_reexec, drain_after_reexec };
  for (const auto how : {by::signal, by::drain, by::signal_after_reexec, by::drain_after_reexec}) {
    supervised_under_load s{supervised::http()};
    s.wait(keeps_one);
    s.go_on();
    if (how == by::signal_after_reexec || how == by::drain_after_reexec) {
      REQUIRE(s.ctl({"reexec", s.control()}).status == "exited 0");
    }
    if (how == by::signal || how == by::signal_after_reexec) {
      s.supervisor().signal(SIGTERM);
    } else {
      CHECK(s.ctl({"drain", s.control()}).status == "exited 0");
    }
    CHECK(s.supervisor().wait_exit(patience).exited(0));
    INFO("way ", static_cast<int>(how));
    s.reset_nobody();
  }
}

TEST_CASE(
    "a server that was upgraded without a supervisor is found by the next one, and not restarted") {
  supervised s{supervised::http()};
  const auto first = s.wait_main();
  s.wait(keeps_one);
  s.supervisor().signal(SIGKILL);
  REQUIRE(s.supervisor().wait_exit(patience));
  REQUIRE(s.ctl({"upgrade", s.control()}).status == "exited 0");
  // Its predecessor has reported it; the server itself reports that it has the control socket.
  const auto generation = [&s] {
    return graceful::control_client::connect(s.control(), patience).value().status()->generation;
  };
  REQUIRE(eventually([&] { return generation() == 2; }, patience));
  process& next = s.start();
  CHECK(s.wait_main() != first);
  CHECK(contains(next.output(), "takes care of it from now on"));
  s.wait(keeps_one);
  CHECK(s.status().failures == 0);
  CHECK(s.status().restarts == 0);
}
