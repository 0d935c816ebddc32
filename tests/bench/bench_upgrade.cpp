// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A whole upgrade, from the call of Upgrade to the moment in which the old process accepts no
// more, and how much of it is the start-up of the successor, which this library cannot shorten.
// The clock is the same for all processes, so each writes down when it got where.
#include <graceful.hpp>

#include "bench_main.hpp"
#include "loopback_sites.hpp"
#include "raw_handoff.hpp"
#include "samples.hpp"
#include "testing/scene.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::testing::process;
using graceful::testing::scene;
using graceful_bench::clock;
using graceful_bench::median_of;
using graceful_bench::require;
using namespace std::chrono_literals;

std::int64_t now() { return clock::now().time_since_epoch() / 1ns; }

// The measured processes.

struct server_times {
  std::int64_t main = 0;     // main() was entered
  std::int64_t arrived = 0;  // the descriptors have arrived
  std::int64_t adopted = 0;  // every listen() is done: Ready is called
  std::int64_t ready = 0;    // ready() has returned
};

void accept_next(graceful::acceptor<tcp>& acceptor) {
  acceptor.async_accept([&acceptor](boost::system::error_code ec, const tcp::socket&) {
    if (!ec) accept_next(acceptor);
  });
}

int serve(const std::string& path, std::uint16_t network, std::size_t count) {
  server_times at{.main = now()};
  asio::io_context io;
  std::vector<graceful::acceptor<tcp>> acceptors;
  acceptors.reserve(count);
  const auto sites = graceful_bench::loopback_sites(count, network);
  graceful::upgrader up{io, {.control_path = path, .probation = 0ms, .log = [](auto, auto) {}}};
  at.arrived = now();
  for (const auto& site : sites) {
    acceptors.push_back(up.listen<tcp>(site.name, site.endpoint, {.backlog = 16}));
    accept_next(acceptors.back());
  }
  at.adopted = now();
  up.ready();
  at.ready = now();
  const std::uint64_t self = up.generation();
  std::printf("generation %" PRIu64 ": %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
              " served %" PRIu64 ".\n",
              self, at.main, at.arrived, at.adopted, at.ready, self);
  std::fflush(stdout);
  up.async_wait_drain([&](boost::system::error_code) {
    std::printf("generation %" PRIu64 " drains: %" PRId64 " drained %" PRIu64 ".\n", self, now(),
                self);
    std::fflush(stdout);
  });
  io.run();
  return 0;
}

int say_when_started() {
  const std::int64_t at = now();
  return ::write(STDOUT_FILENO, &at, sizeof at) == sizeof at ? 0 : 1;
}

// The process that measures them.

struct round {
  double started;  // Upgrade called .. the successor's main() is entered
  double passed;   // .. its upgrader is constructed: everything has been passed
  double adopted;  // .. it has called listen() and async_accept() for each
  double stopped;  // .. the predecessor has stopped accepting and its application knows
  double ready;    // ready() of the successor, from call to return
  double all;      // Upgrade called .. the operator reads "ready"
  double bare_start;
  double round_trip;
  [[nodiscard]] double own() const { return started - bare_start + passed + adopted + stopped; }
};

double between(std::int64_t from, std::int64_t to) { return static_cast<double>(to - from) / 1e3; }

/// Finds the line that begins with `marker` in the output of a scene's servers, and returns the
/// rest of it; `end` ends the line.
std::string behind(process& first, const std::string& marker, const std::string& end) {
  for (const graceful::testing::deadline until{20s}; !until.passed();) {
    const std::string all = first.stdout_text();
    const auto found = all.find(marker);
    if (found != all.npos && all.find(end, found) != all.npos) {
      return all.substr(found + marker.size());
    }
    first.wait_for_output(end, until);
  }
  throw std::runtime_error{"no '" + marker + "' from:\n" + first.output()};
}

/// The cost of starting the same program without this library: spawn .. main().
double bare_start(const std::string& self) {
  std::array<int, 2> pipe{};
  require(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  const graceful::unique_fd read_end{pipe[0]};
  const graceful::unique_fd write_end{pipe[1]};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string program = self;
  std::string mode = "start";
  const std::array<char*, 3> argv{program.data(), mode.data(), nullptr};
  pid_t pid = -1;
  const std::int64_t begin = now();
  errno = ::posix_spawn(&pid, self.c_str(), &actions, nullptr, argv.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  require(errno == 0, "posix_spawn");
  std::int64_t started = 0;
  require(::read(read_end.get(), &started, sizeof started) == sizeof started, "read");
  ::waitpid(pid, nullptr, 0);
  return between(begin, started);
}

/// One byte to another process and back, over a Unix socket: median of a few.
double round_trip(const graceful::unique_fd& echo) {
  std::vector<double> samples;
  for (int i = 0; i < 15; ++i) {
    char byte = 0;
    const std::int64_t begin = now();
    require(::send(echo.get(), &byte, 1, 0) == 1 && ::recv(echo.get(), &byte, 1, 0) == 1, "echo");
    samples.push_back(between(begin, now()));
  }
  return graceful_bench::median(std::move(samples));
}

round upgrade_once(const std::string& path, process& first, std::uint64_t generation) {
  round r{};
  auto client = graceful::control_client::connect(path, 10s).value();
  const std::int64_t called = now();
  client.upgrade({}).value();
  r.all = between(called, now());
  server_times at;
  const auto successor = std::to_string(generation + 1);
  std::sscanf(behind(first, "generation " + successor + ": ", "served " + successor + ".").c_str(),
              "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &at.main, &at.arrived, &at.adopted,
              &at.ready);
  std::int64_t drained = 0;
  const auto old = std::to_string(generation);
  std::sscanf(behind(first, "generation " + old + " drains: ", "drained " + old + ".").c_str(),
              "%" SCNd64, &drained);
  r.started = between(called, at.main);
  r.passed = between(at.main, at.arrived);
  r.adopted = between(at.arrived, at.adopted);
  r.stopped = between(at.adopted, drained);
  r.ready = between(at.adopted, at.ready);
  return r;
}

std::vector<round> measure(const std::string& self, std::size_t listeners, int rounds) {
  const auto network = graceful_bench::network_of(static_cast<std::uint32_t>(::getpid()), 0);
  scene place;
  const auto path = place.path("server.sock");
  process& first =
      place.start({self, "serve", path, std::to_string(network), std::to_string(listeners)});
  behind(first, "generation 1: ", "served 1.");
  place.start({self, "echo", place.path("echo.sock")}).wait_for_output("listening\n", 10s);
  const auto echo = graceful_bench::connect_to(place.path("echo.sock"));
  std::vector<round> seen;
  for (int i = -1; i < rounds; ++i) {
    round r = upgrade_once(path, first, static_cast<std::uint64_t>(i) + 2);
    r.bare_start = bare_start(self);
    r.round_trip = round_trip(echo);
    if (i >= 0) seen.push_back(r);  // the first one warms up
  }
  return seen;
}

void print_row(std::size_t listeners, const std::vector<round>& seen) {
  const auto of = [&](auto pick) { return median_of(seen, pick); };
  std::printf("%9zu %7.0f %6.0f %6.0f %6.0f %6.0f | %7.0f %7.0f | %7.0f %6.1f | %6.2f %6.0f\n",
              listeners, of([](auto& r) { return r.started; }),
              of([](auto& r) { return r.passed; }), of([](auto& r) { return r.adopted; }),
              of([](auto& r) { return r.stopped; }), of([](auto& r) { return r.all; }),
              of([](auto& r) { return r.own(); }), of([](auto& r) { return r.ready; }),
              of([](auto& r) { return r.bare_start; }), of([](auto& r) { return r.round_trip; }),
              of([](auto& r) { return r.started / r.bare_start; }),
              of([](auto& r) { return r.ready / r.round_trip; }));
  std::fflush(stdout);
}

int compare(const std::string& self) {
  std::puts(R"(Upgrade: the call .. the predecessor accepts no more. Medians, microseconds.
  start    Upgrade called .. main() of the successor: spawn, exec, dynamic linking
  pass     .. its upgrader is constructed: connected, every descriptor has arrived
  listen   .. every socket adopted, an accept operation waiting on each
  stop     Ready called .. the predecessor's application is told to drain
  all      Upgrade called .. the operator reads "ready"
  own      start + pass + listen + stop, less the bare start. Aim: < 2,000 us
  ready()  as the successor sees it, its own acceptors opened. Aim: < 2,000 us
  References, in the same rounds: the bare start is posix_spawn of the same program up to
  its main(); the trip is one byte to another process and back over a Unix socket.

          -------------- phases ------------- | -- < 2,000 ---- | - reference -- | -- ratios --
listeners   start   pass listen   stop    all |     own ready() |   start   trip |  start  ready
                                              |                 |                | /start  /trip)");
  print_row(1, measure(self, 1, 31));
  print_row(100, measure(self, 100, 31));
  print_row(1'000, measure(self, 1'000, 15));
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string mode = words.size() > 1 ? words[1] : "";
  if (mode == "start") return say_when_started();
  if (mode == "serve") {
    return serve(words.at(2), graceful_bench::to_number<std::uint16_t>(words.at(3)),
                 graceful_bench::to_number<std::size_t>(words.at(4)));
  }
  if (mode == "echo") {
    const auto listener = graceful_bench::listen_at(words.at(2));
    std::puts("listening");
    std::fflush(stdout);
    graceful_bench::echo_to_everyone(listener);
  }
  return compare("/proc/" + std::to_string(::getpid()) + "/exe");
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
