// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// graceful-ctl run: how a server is started, ended, and started again.
#include <graceful/control_client.hpp>
#include <graceful/testing/load.hpp>

#include "supervised.hpp"
#include "terminal.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>
#include <unistd.h>

using namespace graceful_test;

namespace {

const std::vector<std::string> sleeper{"/bin/sleep", "1000"};

/// A process still answers until its first thread has run and noticed the stop.
bool has_stopped(pid_t pid) {
  std::optional<process_entry> entry;
  const auto stopped_or_gone = [&] {
    entry = process_entry_of(pid);
    return !entry || entry->state == 'T';
  };
  return eventually(stopped_or_gone, patience) && entry;
}

bool nothing_left(supervised& s) { return std::filesystem::is_empty(s.scene().directory()); }

}  // namespace

TEST_CASE("a server is run until it ends, and its exit code is passed on") {
  for (const auto& [script, code] :
       {std::pair{"exit 0", 0}, std::pair{"exit 3", 3}, std::pair{"kill -9 $$", 137}}) {
    supervised s{{"/bin/sh", "-c", script}, {"--max-failures", "1"}};
    CHECK(s.supervisor().wait_exit(patience).exited(code));
    CHECK(nothing_left(s));
  }
}

TEST_CASE("a failing server is started again until the limit is reached") {
  supervised s{{"/bin/sh", "-c", "echo tried; exit 3"}, {"--max-failures", "3"}};
  CHECK(s.supervisor().wait_exit(patience).exited(3));
  CHECK(s.supervisor().stdout_text() == "tried\ntried\ntried\n");
  CHECK(contains(s.supervisor().output(),
                 "failure 3 of 3 in a row, so the supervisor does not start it again"));
}

TEST_CASE("a program that cannot be executed is reported at once, as a shell does") {
  supervised absent{{"/nonexistent/server"}};
  CHECK(absent.supervisor().wait_exit(patience).exited(127));
  CHECK(contains(absent.supervisor().output(),
                 "No such file or directory; check the command behind"));
  CHECK(nothing_left(absent));
  supervised directory{{"/tmp"}};
  CHECK(directory.supervisor().wait_exit(patience).exited(126));
  supervised nowhere{{"no-such-program-in-the-path"}};
  CHECK(nowhere.supervisor().wait_exit(patience).exited(127));
}

TEST_CASE("a server that waits to be started again is visible, and can be given up") {
  supervised s{{"/bin/false"}, {"--restart-delay", "1000", "--max-restart-delay", "1000"}};
  const auto status =
      s.wait([](const graceful::supervisor_status& it) { return it.state == "waiting"; });
  CHECK(status.failures == 1);
  CHECK(status.restarts == 0);
  CHECK_FALSE(status.main_pid);
  REQUIRE(status.wait);
  CHECK(*status.wait > std::chrono::seconds{900});
  const auto shown = s.ctl({"status", s.control()});
  CHECK(shown.status == "exited 0");
  CHECK(contains(shown.out, "the server does not run: it is started again in "));
  CHECK(contains(shown.out, "exited with status 1 (1 in a row)"));
  CHECK(contains(shown.out, "no server answers at " + s.control()));
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(1));
  CHECK(nothing_left(s));
}

TEST_CASE("if a server or its supervisor hangs, that is reported with the other's answer") {
  // Each question uses up its timeout, so two are asked at the same time.
  supervised first{supervised::http()}, second{supervised::http()};
  const auto ask = [](supervised& s, pid_t hangs) -> process& {
    REQUIRE(::kill(hangs, SIGSTOP) == 0);
    REQUIRE(has_stopped(hangs));
    return s.scene().start({programs::graceful_ctl(), "status", "--timeout", "3", s.control()});
  };
  for (supervised* each : {&first, &second}) {
    each->wait([](const auto& it) { return it.said == "generation 1 serves"; });
  }
  process& without_server = ask(first, first.wait_main());
  process& without_supervisor = ask(second, second.supervisor().pid());
  for (process* ctl : {&without_server, &without_supervisor}) {
    const bool server_hangs = ctl == &without_server;
    CHECK(ctl->wait_exit(patience).exited(1));
    INFO(ctl->output());
    const auto shown = ctl->stdout_text();
    CHECK(contains(shown, "supervisor: pid ") == server_hangs);
    CHECK(contains(shown, "generation 1, pid ") == !server_hangs);
    CHECK(contains(ctl->output(), server_hangs ? "graceful-ctl: the server did not answer"
                                               : "graceful-ctl: supervisor: "));
  }
}

TEST_CASE("a server that does not use this library is supervised too") {
  supervised s{sleeper};
  const auto first = s.wait_main();
  ::kill(first, SIGKILL);
  const auto second = s.wait_main(first);
  CHECK(s.status().restarts == 1);
  CHECK(contains(s.status().last_failure, "was killed by signal 9 (SIGKILL)"));
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(143));
  CHECK(::kill(second, 0) != 0);
  CHECK(nothing_left(s));
}

TEST_CASE("each signal reaches the server unchanged, and none ends the supervisor itself") {
  supervised s{{"/bin/sh", "-c",
                "for s in HUP USR1 USR2 QUIT INT TERM; do trap \"echo got $s\" $s; done; echo up; "
                "while :; do sleep 1000 & wait; done"}};
  REQUIRE(s.supervisor().wait_for_output("up", patience));
  for (const auto& [number, name] :
       {std::pair{SIGHUP, "HUP"}, std::pair{SIGUSR1, "USR1"}, std::pair{SIGUSR2, "USR2"},
        std::pair{SIGQUIT, "QUIT"}, std::pair{SIGINT, "INT"}, std::pair{SIGTERM, "TERM"}}) {
    s.supervisor().signal(number);
    CHECK(s.supervisor().wait_for_output(std::string{"got "} + name, patience));
  }
  CHECK(s.supervisor().running());
}

TEST_CASE("SIGTERM ends a server gracefully, and a second one at once") {
  supervised s{supervised::http()};
  const auto held = hold_on(s.port());
  s.supervisor().signal(SIGTERM);
  REQUIRE(s.supervisor().wait_for_output("this process drains", patience));
  CHECK(s.supervisor().running());
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience));
  CHECK(s.scene().wait_all_gone(patience));
}

TEST_CASE("a server that is not ready in time is killed, which counts as a failure") {
  supervised s{notifying_server({"0", "never-ready"}),
               {"--ready-timeout", "2", "--max-failures", "1"}};
  CHECK(s.supervisor().wait_exit(patience).exited(137));
  CHECK(contains(s.supervisor().output(), "was not ready within 2 s and has been killed"));
}

TEST_CASE("Ctrl-C reaches the server once, so that it ends gracefully") {
  terminal tty{80};
  supervised s{{"/bin/sh", "-c",
                "n=0; trap 'n=$((n+1)); echo INT $n' INT; trap 'echo done; exit 0' USR1; echo up; "
                "while :; do sleep 1000 & wait $!; done"},
               {},
               {.terminal = tty.program_end()}};
  tty.let_go();
  REQUIRE(tty.wait_for("up", patience));
  tty.type("\x03");
  REQUIRE(tty.wait_for("INT 1", patience));
  // Sent after the terminal's signal, whose effect is visible by then.
  s.supervisor().signal(SIGUSR1);
  CHECK(tty.wait_for("done", patience));
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  CHECK_FALSE(contains(tty.text(), "INT 2"));
}

TEST_CASE("a signal to the supervisor's process group reaches the server once") {
  supervised s{sleeper};  // for its scene
  // setsid(1) executes it as the leader of a new group.
  process& leader =
      s.scene().start({"/usr/bin/setsid", programs::graceful_ctl(), "run", "--control",
                       s.scene().path("other.sock"), "--", "/bin/sh", "-c",
                       "n=0; trap 'n=$((n+1)); echo TERM $n' TERM; trap 'echo done; exit 0' USR1; "
                       "echo up $$ there; "
                       "while :; do sleep 1000 & wait $!; done"});
  REQUIRE(leader.wait_for_output("there", patience));
  const auto server = std::stoi(leader.stdout_text().substr(3));
  CHECK(::getpgid(server) == server);  // two signals in a row may count as one
  REQUIRE(::kill(-leader.pid(), SIGTERM) == 0);
  REQUIRE(leader.wait_for_output("TERM 1", patience));
  leader.signal(SIGUSR1);  // after it
  CHECK(leader.wait_for_output("done", patience));
  CHECK(leader.wait_exit(patience).exited(0));
  CHECK_FALSE(contains(leader.output(), "TERM 2"));
}

TEST_CASE("a server outlives its shell as the main process, and still ends gracefully") {
  auto command = supervised::http();
  command.insert(command.begin(), {"/bin/sh", "-c", "\"$0\" \"$@\"; exit $?"});
  supervised s{command};
  load at_work{http_load{.port = s.port(), .connections = 4, .keep_alive = false}};
  s.wait([](const auto& it) { return it.kept.size() == 1; });
  const auto shell = s.wait_main();
  ::kill(shell, SIGKILL);
  const auto server = s.wait_main(shell);
  CHECK(s.status().restarts == 0);
  REQUIRE(at_work.wait_for(50, patience));
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  CHECK(::kill(server, 0) != 0);
  const auto seen = at_work.stop();
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
  CHECK(s.scene().wait_all_gone(patience));
}

TEST_CASE("a supervisor waits for a successor that was rolled back and drains") {
  auto command = supervised::http();
  *std::next(std::find(command.begin(), command.end(), "--probation")) = "1min";
  supervised s{command};
  const auto port = s.port();
  const auto first = s.wait_main();
  process& upgrade =
      s.scene().start({programs::graceful_ctl(), "upgrade", s.control(), "--until", "ready"});
  REQUIRE(upgrade.wait_exit(patience).exited(0));
  auto held = hold_by(2, port);
  REQUIRE(s.ctl({"rollback", s.control()}).status == "exited 0");
  CHECK(s.wait_main() == first);
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_for_output("1 older process still drains", patience));
  CHECK(s.supervisor().running());
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 2);
  CHECK(s.supervisor().wait_exit(patience).exited(0));
}

TEST_CASE("SIGTERM that ends a shell is passed on to the server behind it") {
  auto command = supervised::http();
  command.insert(command.begin(), {"/bin/sh", "-c", "\"$0\" \"$@\"; exit $?"});
  supervised s{command};
  s.port();
  s.wait([](const auto& it) { return it.said == "generation 1 serves"; });
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  CHECK(contains(s.supervisor().output(), "this process drains"));
  CHECK(s.scene().wait_all_gone(patience));
}

TEST_CASE("Ctrl-C reaches a server behind a shell that waits for it") {
  terminal tty{80};
  auto command = supervised::http();
  command.insert(command.begin(), {"/bin/bash", "-c", "\"$0\" \"$@\"; echo the server is done"});
  supervised s{command, {}, {.terminal = tty.program_end()}};
  tty.let_go();
  REQUIRE(tty.wait_for("generation 1 serves", patience));
  s.wait([](const auto& it) { return it.said == "generation 1 serves"; });
  tty.type("\x03");
  CHECK(tty.wait_for("the server is done", patience));
  CHECK(s.supervisor().wait_exit(patience));
}

TEST_CASE("after a re-exec too, a server that a shell has started again is believed") {
  auto command = supervised::http();
  command.insert(command.begin(), {"/bin/sh", "-c", "while :; do \"$0\" \"$@\"; done"});
  supervised s{command};
  const auto shell = s.wait_main();
  /// The pid of the server, once it answers, if it is not `before`.
  const auto server = [&](std::int64_t before) {
    auto pid = before;
    const auto another_serves = [&] {  // between two servers no process answers
      auto client = graceful::control_client::connect(s.control(), patience);
      const auto status = client ? client->status() : client.error();
      if (status && status->state == "serving") pid = status->pid;
      return pid != before;
    };
    if (!eventually(another_serves, patience)) FAIL("no server: ", s.supervisor().output());
    return pid;
  };
  const auto first = server(0);
  s.wait([](const auto& it) { return it.said == "generation 1 serves"; });
  REQUIRE(s.ctl({"reexec", s.control()}).status == "exited 0");
  REQUIRE(::kill(static_cast<pid_t>(first), SIGKILL) == 0);
  const auto second = server(first);
  REQUIRE(s.ctl({"upgrade", s.control()}).status == "exited 0");
  CHECK(s.wait_main(shell) != second);
}

TEST_CASE("a server cannot name its supervisor as the main process") {
  supervised s{notifying_server({"0", "names-supervisor"})};
  s.port();
  const auto status = s.wait([](const auto& it) { return it.said == "python serves"; });
  CHECK(status.main_pid != s.supervisor().pid());
}

TEST_CASE("a number that counts in a server's own PID namespace names no process outside of it") {
  const std::vector<std::string> in_space{"/usr/bin/unshare", "--pid", "--fork", "--kill-child",
                                          "--"};
  if (!can_run(in_space, "a PID namespace")) return;
  scene elsewhere;
  process& stranger = elsewhere.start({"/bin/sleep", "1000"});
  // unshare(1) ignores SIGTERM.
  const std::vector<std::string> shell{"/bin/sh", "-c", R"("$@" & wait)", "sh"};
  supervised s{joined(joined(shell, in_space),
                      notifying_server({"0", "names=" + std::to_string(stranger.pid())}))};
  s.port();
  const auto status = s.wait([](const auto& it) { return it.said == "python serves"; });
  CHECK(status.main_pid != stranger.pid());
  s.supervisor().signal(SIGTERM);
  CHECK(s.supervisor().wait_exit(patience));
  CHECK(stranger.running());
}

TEST_CASE("a second supervisor for the same server is told that there is one") {
  supervised s{sleeper};
  s.wait_main();
  process& first = s.supervisor();
  process& second = s.start();
  CHECK(second.wait_exit(patience).exited(1));
  CHECK(contains(second.output(), "a supervisor runs already at "));
  CHECK(first.running());
  CHECK(s.status().pid == first.pid());
}

TEST_CASE(
    "a second supervisor takes nothing from the first, even if the first one's lock was removed") {
  supervised s{sleeper};
  s.wait_main();
  process& first = s.supervisor();
  const auto made = std::filesystem::last_write_time(s.socket() + ".notify");
  std::filesystem::remove(s.socket() + ".lock");
  process& second = s.start();
  CHECK(second.wait_exit(patience).exited(1));
  CHECK(first.running());
  CHECK(std::filesystem::last_write_time(s.socket() + ".notify") == made);
  CHECK(s.status().pid == first.pid());
}

TEST_CASE("a server is run even if standard output is closed, or nobody reads it") {
  supervised s{sleeper};  // for its scene
  const auto other = s.scene().path("other.sock");
  const auto ctl = "'" + programs::graceful_ctl() + "' run --control '" + other +
                   "' --max-failures 1 -- /bin/sh -c ";
  const auto closed = run(s.scene(), {"/bin/sh", "-c", ctl + "'echo x && exit 7' >&- 2>&- <&-"});
  CHECK(closed.status == "exited 7");
  const auto unread =
      run(s.scene(), {"/bin/bash", "-c",
                      ctl + "'trap \"\" PIPE; echo x; echo x; exit 7' 2>&1 | true; exit "
                            "${PIPESTATUS[0]}"});
  CHECK(unread.status == "exited 7");
}

TEST_CASE("a wrong command line of run is explained") {
  supervised s{sleeper};  // for its scene
  const auto expect = [&](std::vector<std::string> arguments, const char* says) {
    const auto done = s.ctl(std::move(arguments));
    INFO(done.all);
    CHECK(done.status == "exited 2");
    CHECK(contains(done.all, says));
  };
  expect({"run"}, "there is no command to run");
  expect({"run", "--"}, "there is no command to run");
  expect({"run", "x", "--", "true"}, "the command goes behind --");
  expect({"run", "--name", "a/b", "--", "true"}, "name it by --name");
  expect({"run", "--name", "a", "--control", "b", "--", "true"}, "give one of them");
  expect({"run", "--ready-timeout", "0", "--", "true"}, "--ready-timeout: '0' is no time");
  expect({"run", "--now", "--", "true"}, "--now does not go with run");
  expect({"run", "--json", "--", "true"}, "--json does not go with run");
  expect({"run", "--timeout", "3", "--", "true"}, "--timeout does not go with run");
  expect({"status", "--max-failures", "1"}, "--max-failures does not go with status");
  expect({"drain", "--socket", "x"}, "--socket does not go with drain");
  CHECK(s.ctl({"reexec", s.scene().path("nowhere")}).status == "exited 7");
}

TEST_CASE("orphans of a server come to the supervisor, even if it is not PID 1") {
  supervised s{{"/bin/sh", "-c", "(sleep 1000 &); echo made; exec sleep 1000"}};
  REQUIRE(s.supervisor().wait_for_output("made", patience));
  const auto children = [&] {
    const auto all = process_table();
    return std::ranges::count(all, s.supervisor().pid(), &process_entry::parent);
  };
  CHECK(eventually([&] { return children() == 2; }, patience));  // /proc has no events
}

TEST_CASE("a server that becomes a daemon is told to stay in the foreground") {
  supervised s{{"/bin/sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 0"}};
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  CHECK(contains(s.supervisor().output(), "tell it to stay in the foreground"));
}

TEST_CASE("a program that has done its work is not told about daemons") {
  supervised s{{"/bin/true"}};
  CHECK(s.supervisor().wait_exit(patience).exited(0));
  CHECK_FALSE(contains(s.supervisor().output(), "foreground"));
}
