// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/caretaker.hpp"

#include "control/await.hpp"

#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds closed_interval{1};

/// The shortest interval of the search for clients. A search goes through all open descriptors, and
/// must not cost more than a fiftieth of a processor.
constexpr milliseconds client_interval{25};
constexpr int share = 50;

/// The interval while executors still have to run what was posted to them.
constexpr milliseconds tend_interval{5};

/// After this time a loop that was between two accepts when its acceptor was parked waits quietly.
constexpr milliseconds quiet_by_then{100};

nanoseconds time_of(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::chrono::seconds{now.tv_sec} + nanoseconds{now.tv_nsec};
}

/// The processor time of the application, without this thread.
nanoseconds application_time() {
  return time_of(CLOCK_PROCESS_CPUTIME_ID) - time_of(CLOCK_THREAD_CPUTIME_ID);
}

/// Stops the context of `executor` if its type is `Executor`, or a strand of that; false otherwise.
template <class Executor>
bool stop_if(const asio::any_io_executor& executor) {
  const auto* plain = executor.target<Executor>();
  const auto* strand = executor.target<asio::strand<Executor>>();
  if (plain != nullptr) plain->context().stop();
  if (strand != nullptr) strand->get_inner_executor().context().stop();
  return plain != nullptr || strand != nullptr;
}

/// False if no context is known that could be stopped.
bool stop_context_of(const asio::any_io_executor& executor) {
  if (const auto* strand = executor.target<asio::strand<asio::any_io_executor>>()) {
    return stop_context_of(strand->get_inner_executor());
  }
  return stop_if<asio::io_context::executor_type>(executor) ||
         stop_if<asio::thread_pool::executor_type>(executor);
}

}  // namespace

caretaker::caretaker(asio::io_context& control, log& log, inventory& sockets,
                     const connections& tracked, milliseconds linger, callbacks on)
    : log_{log},
      inventory_{sockets},
      tracked_{tracked},
      linger_{linger},
      callbacks_{std::move(on)},
      timer_{control} {}

void caretaker::add(std::shared_ptr<foreign_acceptor> acceptor) {
  const std::lock_guard lock{mutex_};
  std::erase_if(acceptors_, [](const auto& known) { return known->gone(); });
  acceptors_.push_back(std::move(acceptor));
}

std::vector<std::shared_ptr<foreign_acceptor>> caretaker::acceptors() const {
  const std::lock_guard lock{mutex_};
  return acceptors_;
}

void caretaker::look_after() {
  if (looks_after_ || sees_off_ || acceptors().empty()) return;
  looks_after_ = true;
  look_for_closed();
}

void caretaker::look_for_closed() {
  call_after(timer_, closed_interval, [this] {
    if (sees_off_) return;
    inventory_.withdraw_closed();
    for (const auto& acceptor : acceptors()) (void)acceptor->tend();
    look_for_closed();
  });
}

void caretaker::see_off() {
  if (acceptors().empty() || std::exchange(sees_off_, true)) return;
  began_ = clock::now();
  processor_time_ = application_time();
  see_off_next();
}

void caretaker::hurry() { hurried_ = true; }

void caretaker::stop() {
  sees_off_ = true;
  timer_.cancel();
}

void caretaker::abandon() {
  for (const auto& acceptor : acceptors()) acceptor->withdraw();
  for (const auto& acceptor : acceptors()) acceptor->abandon();
}

void caretaker::see_off_next() {
  const auto began = clock::now();
  const auto all = acceptors();
  bool all_tended = true;
  for (const auto& acceptor : all) all_tended = acceptor->tend() && all_tended;
  if (!all_tended) return call_after(timer_, tend_interval, [this] { see_off_next(); });
  const bool served = anybody_served();
  const bool all_quiet = is_quiet() && !served && tracked_.open() == 0;
  const bool waits = !served && began - began_ >= quiet_by_then;
  for (const auto& acceptor : all) {
    if (hurried_) acceptor->withdraw();
    if (waits) acceptor->retire();
  }
  if (!all_quiet) {
    quiet_since_.reset();
  } else if (!quiet_since_) {
    quiet_since_ = began;
  } else if (began - *quiet_since_ >= linger_) {
    return end();
  }
  const auto pause = std::max<clock::duration>(client_interval, (clock::now() - began) * share);
  call_after(timer_, pause, [this] { see_off_next(); });
}

/// True while there is an accepted connection, whichever acceptor took it, tracked or not.
bool caretaker::anybody_served() const { return !inventory_.connections().empty(); }

/// True if the application has hardly used a processor since the last call.
bool caretaker::is_quiet() {
  const auto used = application_time();
  return used - std::exchange(processor_time_, used) < nanoseconds{client_interval} / 10;
}

void caretaker::end() {
  const auto why = "the last client has gone, and nothing has happened for " +
                   std::to_string(linger_.count()) + " ms: ";
  bool stopped = false;
  for (const auto& acceptor : acceptors()) {
    stopped = stop_context_of(acceptor->executor()) || stopped;
  }
  if (callbacks_.stop_context) callbacks_.stop_context();
  if (stopped || callbacks_.stop_context) {
    log_.info(why + "what still keeps the context running is stopped (see options::linger)");
  } else {
    log_.warning(why +
                 "something still keeps this process running, on an executor whose context is not "
                 "known here: await the drain (async_wait_drain), and end it");
  }
}

}  // namespace graceful
