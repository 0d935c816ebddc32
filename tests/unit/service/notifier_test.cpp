// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/notifier.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/channel.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace os = graceful::os;
using namespace graceful_test;
using namespace graceful::testing;
using namespace std::chrono_literals;
using graceful::unique_fd;

namespace {

/// A notifier, and a manager that reads as the supervisor does.
struct notifier_fixture {
  std::optional<os::inbox> next() {
    REQUIRE(wait_readable(manager.get(), patience));
    return os::receive_notify(manager.get(), 100);
  }

  /// Whether the log says that the manager has not reached the barrier.
  [[nodiscard]] bool complained() const {
    return !logged.empty() && logged.back().find("has not said that it knows") != std::string::npos;
  }

  temporary_directory directory;
  unique_fd manager = os::bind_notify(directory.path("notify")).value();
  std::vector<std::string> logged;
  graceful::log log{
      [this](graceful::log_level, std::string_view text) { logged.emplace_back(text); }};
  asio::io_context control;
  graceful::notifier speaker{control, log,
                             std::make_shared<const os::service_manager>(
                                 os::service_manager::at(directory.path("notify")).value())};
};

}  // namespace

TEST_CASE("a barrier is reached when the manager has closed the descriptor that came with it") {
  notifier_fixture b;
  b.speaker.say("READY=1");
  b.speaker.barrier();
  CHECK(b.next()->bytes == "READY=1");
  auto barrier = b.next();
  REQUIRE(barrier);
  CHECK(barrier->bytes == "BARRIER=1");
  CHECK(barrier->descriptors.size() == 1);
  auto end = std::async(std::launch::async, [&] { b.speaker.finish(patience); });
  CHECK(end.wait_for(50ms) == std::future_status::timeout);
  barrier.reset();
  CHECK(end.wait_for(patience / 2) == std::future_status::ready);
  CHECK_FALSE(b.complained());
}

TEST_CASE("a barrier that the manager does not reach is not waited for longer than allowed") {
  notifier_fixture b;
  b.speaker.barrier();
  SUBCASE("it does not read") {}
  SUBCASE("it keeps the descriptor") {
    const auto kept = b.next();
    b.speaker.finish(10ms);
    CHECK(b.complained());
    return;
  }
  b.speaker.finish(10ms);
  CHECK(b.complained());
}

TEST_CASE("a barrier does not wait for a manager that is gone") {
  notifier_fixture b;
  b.speaker.barrier();
  b.manager.reset();
  b.speaker.finish(patience);
  CHECK_FALSE(b.complained());
}

TEST_CASE("an end without a barrier does not wait for earlier messages") {
  notifier_fixture b;
  b.speaker.say("STOPPING=1");
  b.speaker.finish(patience);
  CHECK(b.logged.empty());
  CHECK(b.next()->bytes == "STOPPING=1");
}

TEST_CASE("an insistent message waits for a socket that was removed, and other messages do not") {
  notifier_fixture b;
  const auto path = b.directory.path("notify");
  std::filesystem::remove(path);
  b.speaker.say("STATUS=lost");
  b.speaker.insist("MAINPID=7");
  b.manager = os::bind_notify(path).value();
  for (const deadline until{patience}; !wait_readable(b.manager.get(), 0s) && !until.passed();) {
    b.control.restart();
    b.control.run_for(1ms);
  }
  CHECK(b.next()->bytes == "MAINPID=7");
}

TEST_CASE("an end waits for a socket that was removed, but not for ever") {
  notifier_fixture b;
  std::filesystem::remove(b.directory.path("notify"));
  b.speaker.insist("MAINPID=7");
  b.speaker.finish(10ms);
  CHECK(b.logged.size() == 1);
}
