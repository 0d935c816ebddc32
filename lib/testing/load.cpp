// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load.hpp>

#include <algorithm>
#include <bit>
#include <optional>
#include <sstream>
#include <utility>

#include <signal.h>

namespace graceful::testing {
namespace {

std::string make_request(const load_options& options) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + options.host + "]" : options.host;
  return "GET " + options.path + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(options.port) +
         "\r\n" + (options.keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

/// Keeps the seven highest bits: a few hundred distinct values, however long the load runs.
std::uint64_t rounded(std::uint64_t value) {
  const int drop = std::max(static_cast<int>(std::bit_width(value)) - 7, 0);
  return value >> drop << drop;
}

std::chrono::microseconds percentile(const std::map<std::uint64_t, std::uint64_t>& latencies,
                                     std::uint64_t total, std::uint64_t percent) {
  std::uint64_t seen = 0;
  for (const auto& [latency, requests] : latencies) {
    seen += requests;
    if (seen * 100 >= total * percent) return std::chrono::microseconds{latency};
  }
  return {};
}

std::pair<const char*, std::uint64_t load_report::*> counter_of(loss how) {
  switch (how) {
    case loss::refused:
      return {"refused", &load_report::refused};
    case loss::reset:
      return {"reset", &load_report::reset};
    case loss::cut_short:
      return {"cut_short", &load_report::cut_short};
    case loss::timed_out:
      return {"timed_out", &load_report::timed_out};
    case loss::other:
      break;
  }
  return {"other", &load_report::other};
}

}  // namespace

std::uint64_t load_report::lost() const { return refused + reset + cut_short + timed_out + other; }

std::string load_report::to_string() const {
  std::ostringstream text;
  text << "ok: " << ok << "\nlost: " << lost() << "\nrefused: " << refused << "\nreset: " << reset
       << "\ncut_short: " << cut_short << "\ntimed_out: " << timed_out << "\nother: " << other
       << "\nreconnects: " << reconnects << "\np50_us: " << p50.count()
       << "\np99_us: " << p99.count() << "\nlongest_us: " << longest.count()
       << "\nlongest_silence_ms: " << longest_silence.count() << '\n';
  for (const auto& [generation, requests] : by_generation) {
    text << "generation_" << generation << ": " << requests << '\n';
  }
  if (!first_failure.empty()) text << "first_failure: " << first_failure << '\n';
  return text.str();
}

load::load(load_options options)
    : options_{std::move(options)},
      target_{resolve(options_.host, options_.port, options_.timeout)},
      request_{make_request(options_)} {}

load::~load() { stop(); }

void load::start() {
  started_ = last_ok_ = clock::now();
  for (int i = 0; i < options_.connections; ++i) threads_.emplace_back([this] { send_requests(); });
}

load_report load::stop() {
  {
    const std::lock_guard lock{mutex_};  // so that no wait misses it
    stop_.request_stop();
  }
  progress_.notify_all();
  const bool ran = !threads_.empty();
  threads_.clear();

  const std::lock_guard lock{mutex_};
  if (ran) end_silence(clock::now());
  report_.p50 = percentile(latencies_, report_.ok, 50);
  report_.p99 = percentile(latencies_, report_.ok, 99);
  const auto first_connections = std::min<std::uint64_t>(
      connected_, static_cast<std::uint64_t>(std::max(options_.connections, 0)));
  report_.reconnects = connected_ - first_connections;
  return report_;
}

std::uint64_t load::ok_so_far() const {
  const std::lock_guard lock{mutex_};
  return report_.ok;
}

bool load::wait_for(std::uint64_t further_ok_requests, deadline until) {
  std::unique_lock lock{mutex_};
  const auto wanted = report_.ok + further_ok_requests;
  progress_.wait_until(lock, until.when(),
                       [&] { return report_.ok >= wanted || stop_.stop_requested(); });
  return report_.ok >= wanted;
}

bool load::wait_for_generation(std::uint64_t generation, std::uint64_t requests, deadline until) {
  std::unique_lock lock{mutex_};
  const auto served = [&] {
    const auto found = report_.by_generation.find(generation);
    return found != report_.by_generation.end() && found->second >= requests;
  };
  progress_.wait_until(lock, until.when(), [&] { return served() || stop_.stop_requested(); });
  return served();
}

void load::send_requests() {
  // The signals are for the program's own threads; and none interrupts connect(2) here.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);

  std::optional<http_connection> connection;
  while (!stop_.stop_requested()) {
    try {
      const auto begun = clock::now();
      if (!connection) connection.emplace(target_, connected_++);
      const http_response response = connection->exchange(request_);
      const auto took = clock::now() - begun;
      if (response.closes || !options_.keep_alive) {
        connection->await_close();
        connection.reset();
      }
      count(response, took);
    } catch (const request_lost& failure) {
      connection.reset();
      count(failure);
    }
  }
}

void load::count(const http_response& response, clock::duration took) {
  const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(took);
  {
    const std::lock_guard lock{mutex_};
    ++report_.ok;
    ++report_.by_generation[response.generation];
    ++latencies_[rounded(static_cast<std::uint64_t>(latency.count()))];
    report_.longest = std::max(report_.longest, latency);
    end_silence(clock::now());
  }
  progress_.notify_all();
}

void load::count(const request_lost& failure) {
  std::unique_lock lock{mutex_};
  const auto [name, counter] = counter_of(failure.how);
  if (report_.lost() == 0) {
    const auto after =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - started_);
    report_.first_failure = std::string{name} + ": " + failure.why + " (after " +
                            std::to_string(after.count()) + " ms, " + std::to_string(report_.ok) +
                            " ok)";
  }
  ++(report_.*counter);
  // A dead server must not turn the load into a hot loop.
  back_off_.wait_for(lock, stop_.get_token(), std::chrono::milliseconds{1}, [] { return false; });
}

void load::end_silence(clock::time_point now) {
  report_.longest_silence =
      std::max(report_.longest_silence,
               std::chrono::duration_cast<std::chrono::milliseconds>(now - last_ok_));
  last_ok_ = now;
}

}  // namespace graceful::testing
