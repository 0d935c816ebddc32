// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load.hpp>

#include "testing/blocked_signals.hpp"
#include "testing/client.hpp"
#include "testing/pacer.hpp"
#include "testing/pauses.hpp"
#include "testing/tally.hpp"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace graceful::testing {
namespace {

void require(bool sense, const char* what) {
  if (!sense) throw std::invalid_argument{std::string{"load: "} + what};
}

}  // namespace

class load::running {
 public:
  template <class Load>
  explicit running(const Load& what)
      : connector_{resolve(what.host, what.port, what.timeout)},
        connections_{what.connections},
        rate_{what.rate} {
    require(connections_ > 0, "connections: at least one");
    require(rate_ >= 0 && std::isfinite(rate_), "rate: requests a second, or 0");
    require(what.timeout.count() > 0, "timeout: more than nothing");
    if (rate_ > 0) pacer_.emplace(rate_, started_);
    for (int i = 0; i < connections_; ++i) {
      clients_.push_back(make_client(what, connector_, pauses_));
    }
    const blocked_signals in_the_threads;
    try {
      for (const auto& each : clients_) threads_.emplace_back([this, &each] { work(*each); });
    } catch (...) {
      pauses_.stop();  // or the threads would be waited for for ever
      throw;
    }
  }
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running() { stop(); }

  load_report stop();

  std::uint64_t ok_so_far() {
    const std::lock_guard lock{mutex_};
    return tally_.ok();
  }

  bool wait_for(std::uint64_t further, deadline until, std::uint64_t may_lose) {
    std::unique_lock lock{mutex_};
    const auto wanted = tally_.ok() + further;
    return wait(lock, until, may_lose, [&] { return tally_.ok() >= wanted; });
  }

  bool wait_for_generation(std::uint64_t generation, std::uint64_t requests, deadline until,
                           std::uint64_t may_lose) {
    std::unique_lock lock{mutex_};
    return wait(lock, until, may_lose, [&] { return tally_.served_by(generation) >= requests; });
  }

  bool wait_for_lost(std::uint64_t requests, deadline until) {
    std::unique_lock lock{mutex_};
    return wait(lock, until, any_number, [&] { return tally_.lost() >= requests; });
  }

 private:
  using clock = std::chrono::steady_clock;

  template <class Reached>
  bool wait(std::unique_lock<std::mutex>& lock, deadline until, std::uint64_t may_lose,
            Reached reached) {
    const auto lost_before = tally_.lost();
    progress_.wait_until(lock, until.when(), [&] {
      return reached() || tally_.lost() - lost_before > may_lose || pauses_.stopped();
    });
    return reached();
  }

  void work(client& each);
  void request(client& each, clock::time_point due);
  void failed(const request_lost& failure);

  connector connector_;
  const int connections_;
  const double rate_;
  const clock::time_point started_ = clock::now();
  std::optional<pacer> pacer_;
  pauses pauses_;

  std::mutex mutex_;
  std::condition_variable progress_;
  tally tally_{started_};
  std::uint64_t begun_ = 0;
  std::optional<load_report> final_;

  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::jthread> threads_;  // declared last, so that it is destroyed first
};

load_report load::running::stop() {
  if (final_) return *final_;
  clock::time_point stopped;
  {
    const std::lock_guard lock{mutex_};  // so that no waiting thread misses it
    pauses_.stop();
    stopped = clock::now();
    tally_.stopped(stopped);
  }
  progress_.notify_all();
  threads_.clear();
  clients_.clear();

  const std::lock_guard lock{mutex_};
  final_ = tally_.report();
  const unsigned attempts = connector_.attempts();
  final_->reconnects = attempts - std::min(attempts, static_cast<unsigned>(connections_));
  if (pacer_) {
    const auto due = pacer_->due_by(stopped);
    final_->unsent = due - std::min(due, begun_);
  }
  return *final_;
}

void load::running::work(client& each) {
  while (!pauses_.stopped()) {
    if (!pacer_) {
      request(each, clock::now());
      continue;
    }
    const auto due = pacer_->next();
    if (!pauses_.until(due)) return;
    request(each, due);
  }
}

void load::running::request(client& each, clock::time_point due) {
  {
    const std::lock_guard lock{mutex_};
    ++begun_;
  }
  try {
    const answer got = each.request();
    {
      const std::lock_guard lock{mutex_};
      tally_.succeeded(got.generation, got.complete - due, clock::now());
    }
    progress_.notify_all();
  } catch (const request_lost& failure) {
    failed(failure);
  } catch (const std::exception& error) {  // of a judge, above all
    failed({loss::other, error.what()});
  } catch (...) {  // assertions of a test framework need not be derived from it
    failed({loss::other, "an exception that is no std::exception"});
  }
}

void load::running::failed(const request_lost& failure) {
  {
    const std::lock_guard lock{mutex_};
    tally_.failed(failure, clock::now());
  }
  progress_.notify_all();
  // A dead server must not turn the load into a busy loop.
  if (!pacer_) pauses_.until(clock::now() + std::chrono::milliseconds{1});
}

load::load(const http_load& what) : running_{std::make_unique<running>(what)} {}
load::load(const stream_load& what) : running_{std::make_unique<running>(what)} {}
load::load(const connect_load& what) : running_{std::make_unique<running>(what)} {}
load::load(const slow_load& what) : running_{std::make_unique<running>(what)} {}

load::load(const exchange_load& what) {
  require(!what.reply.empty() || what.judge, "an exchange needs a reply or a judge");
  running_ = std::make_unique<running>(what);
}

load::load(load&& other) noexcept = default;
load& load::operator=(load&& other) noexcept = default;
load::~load() = default;

load_report load::stop() { return running_->stop(); }

std::uint64_t load::ok_so_far() const { return running_->ok_so_far(); }

bool load::wait_for(std::uint64_t further_ok_requests, deadline until, std::uint64_t may_lose) {
  return running_->wait_for(further_ok_requests, until, may_lose);
}

bool load::wait_for_generation(std::uint64_t generation, std::uint64_t requests, deadline until,
                               std::uint64_t may_lose) {
  return running_->wait_for_generation(generation, requests, until, may_lose);
}

bool load::wait_for_lost(std::uint64_t requests, deadline until) {
  return running_->wait_for_lost(requests, until);
}

}  // namespace graceful::testing
