// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What it costs the application's thread that its acceptors are parked, with many files open;
// beside a dup3(2) alone.
#include "os/listening_socket.hpp"
#include "os/park.hpp"
#include "os/socket_address.hpp"

#include "bench_main.hpp"
#include "samples.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

namespace os = graceful::os;
using graceful::unique_fd;
using graceful_bench::clock;
using graceful_bench::median_of;

constexpr std::size_t open_files = 18'000;
constexpr int rounds = 200;

/// In microseconds.
struct round {
  double park, unpark, plain;
};

os::socket_address loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

template <class Step>
double time_of(Step step) {
  const auto begin = clock::now();
  step();
  return graceful_bench::microseconds(clock::now() - begin);
}

round park_once(int fd, const std::optional<os::epoll_entry>& entry, const unique_fd& place,
                const unique_fd& real) {
  round seen{};
  seen.park = time_of([&] { (void)os::park(fd, entry, place); });
  seen.unpark = time_of([&] { (void)os::unpark(fd, entry, real.get()); });
  const unique_fd other{::fcntl(real.get(), F_DUPFD_CLOEXEC, 3)};
  seen.plain = time_of([&] { ::dup3(place.get(), other.get(), O_CLOEXEC); });
  return seen;
}

int run(const std::vector<std::string>& /*words*/) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::vector<unique_fd> held;
  const unique_fd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  for (std::size_t i = 0; i < open_files; ++i) {
    held.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    epoll_event event{};
    if (!held.back() || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, held.back().get(), &event) != 0) {
      held.pop_back();
      break;
    }
  }
  const auto real = os::listen_tcp(loopback(), {}).value();
  const unique_fd acceptor{::fcntl(real.get(), F_DUPFD_CLOEXEC, 3)};
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, acceptor.get(), &event);
  std::optional<os::epoll_entry> entry;
  const double looked = time_of([&] { entry = os::find_in_epoll(acceptor.get()); });
  const auto place = os::unreachable_listener().value();
  std::vector<round> seen;
  for (int i = 0; i < rounds; ++i) seen.push_back(park_once(acceptor.get(), entry, place, real));
  const auto longest = std::ranges::max(seen, {}, &round::park).park;
  std::printf(
      "Parking an acceptor beside %zu sockets in the same epoll instance. Medians.\n\n"
      "%-40s %8.2f us\n%-40s %8.2f us  (longest %.2f us)  <= 50 us\n%-40s %8.2f us\n%-40s %8.2f "
      "us\n",
      held.size(), "dup3(2)", median_of(seen, [](const round& r) { return r.plain; }), "park",
      median_of(seen, [](const round& r) { return r.park; }), longest, "the way back",
      median_of(seen, [](const round& r) { return r.unpark; }), "the look in listen, once", looked);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return graceful_bench::bench_main(argc, argv, run); }
