// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Connections a second through graceful::acceptor, beside Boost.Asio's own acceptor: the same
// accept loop on the same kind of context, one thread each, taking turns.
#include <graceful.hpp>

#include "bench_main.hpp"
#include "connection_storm.hpp"
#include "counted_new.hpp"
#include "samples.hpp"
#include "testing/scene.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <time.h>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful_bench::clock;
using graceful_bench::median_of;
using graceful_bench::microseconds;
using namespace std::chrono_literals;

/// Accepts, counts and closes; calls `full` when a quota has been reached.
template <class Acceptor>
class accept_loop {
 public:
  explicit accept_loop(Acceptor& acceptor) : acceptor_{acceptor} {}

  void start() {
    acceptor_.async_accept([this](boost::system::error_code ec, tcp::socket peer) {
      if (ec) return;
      const auto accepted = accepted_.fetch_add(1, std::memory_order_relaxed) + 1;
      peer.close(ec);
      if (accepted == quota_) io_->stop();
      start();
    });
  }

  [[nodiscard]] std::size_t accepted() const { return accepted_.load(std::memory_order_relaxed); }

  /// Runs `io` on this thread until `count` more connections have been accepted.
  void run_for(asio::io_context& io, std::size_t count) {
    io_ = &io;
    quota_ = accepted() + count;
    io.restart();
    io.run();
    quota_ = 0;
  }

 private:
  Acceptor& acceptor_;
  asio::io_context* io_ = nullptr;
  std::atomic<std::size_t> accepted_{0};
  std::size_t quota_ = 0;
};

struct round {
  double ours;
  double asio;
};

/// Excludes whatever else runs on the machine.
clock::duration processor_time(pthread_t thread) {
  clockid_t id{};
  timespec time{};
  ::pthread_getcpuclockid(thread, &id);
  ::clock_gettime(id, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

struct cost {
  double processor_microseconds;
  double allocations;
};

/// Measures what it costs to accept a connection that already waits.
template <class Loop>
cost accept_waiting(asio::io_context& io, Loop& loop, const tcp::endpoint& address) {
  constexpr std::size_t count = 500;
  const auto connections = graceful_bench::connect_many(address, count);
  const auto allocated = graceful_test::allocations();
  const auto begin = processor_time(::pthread_self());
  loop.run_for(io, count);
  return {microseconds(processor_time(::pthread_self()) - begin) / count,
          static_cast<double>(graceful_test::allocations() - allocated) / count};
}

struct under_load {
  double per_second;
  double processor_microseconds;  // of the server's thread, per connection
};

/// Measures clients that connect while the server runs on its own thread.
template <class Loop>
under_load accept_coming(std::thread& server, Loop& loop, const tcp::endpoint& address, int threads,
                         std::size_t width) {
  constexpr auto long_enough = 50ms;
  const graceful_bench::connection_storm storm{address, threads, width};
  const auto begin = clock::now();
  const auto busy_before = processor_time(server.native_handle());
  const auto before = loop.accepted();
  std::this_thread::sleep_for(long_enough);  // the time that is measured, not a wait for an event
  const auto accepted = static_cast<double>(std::max<std::size_t>(loop.accepted() - before, 1));
  const auto busy = processor_time(server.native_handle()) - busy_before;
  return {accepted * 1e6 / microseconds(clock::now() - begin), microseconds(busy) / accepted};
}

/// Two servers, which are measured in turn in each round.
class comparison {
 public:
  explicit comparison(const std::string& control_path)
      : up_{our_io_, {.control_path = control_path, .log = [](auto, auto) {}}},
        ours_{up_.listen<tcp>("bench", loopback, {.backlog = 4096})},
        plain_{asio_io_, loopback} {
    plain_.listen(4096);
    up_.ready();
    our_loop_.start();
    plain_loop_.start();
  }

  void waiting(int rounds) {
    std::vector<round> seen;
    std::vector<round> allocated;
    for (int i = -1; i < rounds; ++i) {
      const auto ours = accept_waiting(our_io_, our_loop_, ours_.local_endpoint());
      const auto asio = accept_waiting(asio_io_, plain_loop_, plain_.local_endpoint());
      if (i < 0) continue;  // the first one warms up
      seen.push_back({ours.processor_microseconds, asio.processor_microseconds});
      allocated.push_back({ours.allocations, asio.allocations});
    }
    print("that wait already: processor time, each", "us", seen, lower);
    std::printf("%-44s %10.2f %10.2f\n", "  calls of operator new, each",
                median_of(allocated, [](const round& r) { return r.ours; }),
                median_of(allocated, [](const round& r) { return r.asio; }));
  }

  void coming(int rounds, int threads, std::size_t width, const char* title) {
    std::vector<round> rates;
    std::vector<round> costs;
    {
      const running ours{our_io_};
      const running asio{asio_io_};
      for (int i = -1; i < rounds; ++i) {
        const auto our =
            accept_coming(*ours.thread, our_loop_, ours_.local_endpoint(), threads, width);
        const auto plain =
            accept_coming(*asio.thread, plain_loop_, plain_.local_endpoint(), threads, width);
        if (i < 0) continue;
        rates.push_back({our.per_second, plain.per_second});
        costs.push_back({our.processor_microseconds, plain.processor_microseconds});
      }
    }
    print(title, "/s", rates, ">= 0.98");
    print("  processor time of the server, each", "us", costs, lower);
  }

 private:
  /// Runs a context on a thread.
  struct running {
    explicit running(asio::io_context& context) : io{context} {
      io.restart();
      thread = std::make_unique<std::thread>([this] { io.run(); });
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() {
      io.stop();
      thread->join();
    }
    asio::io_context& io;
    std::unique_ptr<std::thread> thread;
  };

  static void print(const char* title, const char* unit, const std::vector<round>& seen,
                    const char* aim) {
    std::printf("%-44s %10.1f %10.1f %-3s %6.3f  %s\n", title,
                median_of(seen, [](const round& r) { return r.ours; }),
                median_of(seen, [](const round& r) { return r.asio; }), unit,
                median_of(seen, [](const round& r) { return r.ours / r.asio; }), aim);
    std::fflush(stdout);
  }

  static constexpr const char* lower = "lower is better";
  inline static const tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};

  asio::io_context our_io_;
  asio::io_context asio_io_;
  graceful::upgrader up_;
  graceful::acceptor<tcp> ours_;
  tcp::acceptor plain_;
  accept_loop<graceful::acceptor<tcp>> our_loop_{ours_};
  accept_loop<tcp::acceptor> plain_loop_{plain_};
};

int run(const std::vector<std::string>& /*words*/) {
  graceful::testing::scene place;
  comparison compare{place.path("accept.sock")};
  std::puts(
      "Accept: graceful::acceptor beside tcp::acceptor, one thread each, taking turns.\n"
      "Medians; the ratio is the median of those of the rounds.\n");
  std::printf("%-44s %10s %10s %-3s %6s  %s\n", "connections", "graceful", "asio", "", "ratio",
              "aim");
  compare.coming(60, 3, 16, "coming from 3 threads, 16 at a time");
  compare.coming(60, 1, 1, "coming one by one (the queue is empty)");
  compare.waiting(60);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
