// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/phases.hpp>

#include "testing/blocked_signals.hpp"
#include "testing/deployment_impl.hpp"
#include "testing/fault_variable.hpp"
#include "testing/report.hpp"
#include "testing/server_start.hpp"
#include "testing/shim/fault_file.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include <signal.h>

namespace graceful::testing {
namespace {

constexpr std::chrono::milliseconds commit_look_interval{50};

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

}  // namespace

deployment::impl::impl(deployment_params its_params)
    : params{std::move(its_params)}, control{scene.path("control.sock")} {
  std::vector<std::string> command;
  for (const std::string& word : params.command) command.push_back(expanded(word));
  if (command.empty()) throw std::invalid_argument{"a deployment needs the command of a server"};
  process_options options{.attribute_output = true};
  for (const auto& [key, value] : params.environment) options.environment[key] = expanded(value);

  server_start start{control, scene.directory()};
  events.add("test", "starts" + joined(command));
  server = &scene.start(std::move(command), std::move(options));
  first = start.wait(*server, params.patience);
  events.add("test", "the server serves");
  committed_ = static_cast<pid_t>(first.pid);
  known.add(first.generation, committed_);
  stream.emplace(control, params.patience, events, known);
  take_reference();
}

std::string deployment::impl::expanded(std::string text) const {
  replace_all(text, "{control}", control);
  replace_all(text, "{directory}", scene.directory());
  return text;
}

result<control_client> deployment::impl::connect() const {
  return control_client::connect(control, params.patience);
}

upgrade_request deployment::impl::to_request(const upgrade_params& with) const {
  upgrade_request request{.timeout = with.timeout.value_or(params.patience)};
  for (const std::string& word : with.command) request.command.push_back(expanded(word));
  for (const auto& [key, value] : with.environment) request.environment[key] = expanded(value);
  if (with.fault) {
    const auto given = [&](const char* variable) {
      return params.environment.contains(variable) || with.environment.contains(variable) ||
             std::getenv(variable) != nullptr;
    };
    if (!given(shim::directory_variable)) {
      throw std::invalid_argument{
          "a fault cannot strike: the deployment was not started with "
          "fault_injector::environment()"};
    }
    const auto [name, value] = variable_for(*with.fault);
    request.environment[name] = value;
  }
  return request;
}

std::shared_ptr<upgrade_run> deployment::impl::start(const upgrade_params& with) {
  upgrade_request request = to_request(with);
  events.add("test", "deploys" + (request.command.empty() ? std::string{" what runs"}
                                                          : joined(request.command)));
  // Monitor follows to a new generation by itself; until then, nobody would see an upgrade's
  // events.
  const deadline until{params.patience};
  while (!stream->wait_watched(committed_, commit_look_interval) && !until.passed()) {
    if (known.wait_ended(committed_, std::chrono::seconds{0})) break;
  }
  auto run = std::make_shared<upgrade_run>();
  // Connects here, so that it asks the process that serves now.
  auto client = std::make_shared<result<control_client>>(connect());
  const std::lock_guard lock{upgrades_mutex_};
  std::erase_if(upgrades_, [](const running_upgrade& each) {
    return each.run->wait(std::chrono::seconds{0});
  });
  const blocked_signals in_the_thread;
  upgrades_.push_back({run, std::jthread{[this, run, client, request = std::move(request)] {
                         run->run(std::move(*client), request, [this](const upgrade_outcome& now) {
                           if (now.generation != 0 && now.pid != 0) {
                             known.add(now.generation, now.pid);
                           }
                           if (now.committed()) committed_ = now.pid;
                           events.add("deploy", now.to_string());
                         });
                       }}});
  return run;
}

std::string deployment::impl::report() const {
  return report_of("deployment of " + server->program() + " in " + scene.directory(),
                   known.members(), events, server->pieces_of_output());
}

deployment::deployment(deployment_params params)
    : impl_{std::make_unique<impl>(std::move(params))}, exceptions_{std::uncaught_exceptions()} {}

deployment::~deployment() {
  // An exception here would end the test program, and lose the report of the other failures.
  try {
    const bool failed = std::uncaught_exceptions() > exceptions_ ||
                        (impl_->params.failed && impl_->params.failed());
    if (!failed) return;
    if (impl_->params.keep_directory) impl_->scene.keep_directory();
    std::fprintf(stderr, "%s", impl_->report().c_str());
    if (impl_->params.keep_directory) {
      std::fprintf(stderr, "the directory stays: %s\n", impl_->scene.directory().c_str());
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "a deployment's report: %s\n", e.what());
  } catch (...) {
    std::fprintf(stderr, "a deployment's report: an exception of the test's own\n");
  }
}

std::string deployment::address(std::string_view listener) const {
  for (const listener_status& each : impl_->first.listeners) {
    if (listener.empty() || each.name == listener) return each.address;
  }
  throw std::out_of_range{"the server has no listener '" + std::string{listener} + "'"};
}

std::uint16_t deployment::port(std::string_view listener) const {
  const std::string text = address(listener);
  const auto colon = text.rfind(':');
  if (colon == text.npos) throw std::out_of_range{text + " has no port"};
  return static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)));
}

std::string deployment::control() const { return impl_->control; }
std::string deployment::directory() const { return impl_->scene.directory(); }
std::chrono::milliseconds deployment::patience() const { return impl_->params.patience; }

upgrade_outcome deployment::upgrade(const upgrade_params& params) {
  const auto within = params.timeout.value_or(patience()) + patience();
  const deadline until{within};
  const std::uint64_t predecessor =
      params.until == upgrade_end::drained ? generation() : std::uint64_t{};
  const pending_upgrade run{impl_->start(params)};
  if (params.until == upgrade_end::ready && run.wait_for(phases::ready, until)) return run.so_far();
  upgrade_outcome outcome = run.wait(until);
  if (!outcome.failed() && params.until == upgrade_end::drained && !wait_gone(predecessor, until)) {
    outcome.code = errc::timed_out;
    outcome.message = "the predecessor has not ended";
  }
  return outcome;
}

pending_upgrade deployment::start_upgrade(const upgrade_params& params) {
  return pending_upgrade{impl_->start(params)};
}

result<void> deployment::commit() {
  return impl_->tell("commits", [](control_client& client) { return client.commit(); });
}

result<void> deployment::rollback() {
  return impl_->tell("rolls back", [](control_client& client) { return client.rollback(); });
}

result<void> deployment::abort() {
  return impl_->tell("aborts", [](control_client& client) { return client.abort(); });
}

result<drain_progress> deployment::drain(bool now) {
  return impl_->tell(now ? "drains now" : "drains",
                     [now](control_client& client) { return client.drain(now); });
}

server_status deployment::status() { return impl_->connect().value().status().value(); }
std::string deployment::metrics() { return impl_->connect().value().metrics().value().text; }
std::uint64_t deployment::generation() { return status().generation; }

pid_t deployment::pid(std::uint64_t generation) const { return impl_->known.pid(generation); }

bool deployment::kill(std::uint64_t generation, int signal) {
  impl_->events.add("test", "sends signal " + std::to_string(signal) + " to generation " +
                                std::to_string(generation));
  return impl_->known.signal(generation, signal);
}

bool deployment::stop(std::uint64_t generation) {
  return kill(generation, SIGSTOP) && impl_->known.wait_stopped(generation, patience());
}

bool deployment::cont(std::uint64_t generation) { return kill(generation, SIGCONT); }

bool deployment::wait_gone(std::uint64_t generation, deadline until) {
  return impl_->known.wait_gone(generation, until);
}

bool deployment::wait_gone(std::uint64_t generation) { return wait_gone(generation, patience()); }

std::optional<server_event> deployment::wait_for_event(std::string_view event, deadline until,
                                                       std::size_t nth) {
  return impl_->stream->wait_for(event, nth, until);
}

std::optional<server_event> deployment::wait_for_event(std::string_view event) {
  return wait_for_event(event, patience());
}

leak_report deployment::leaks() { return leaks(patience()); }
leak_report deployment::leaks(deadline until) { return impl_->leaks(until); }
void deployment::take_reference() { impl_->take_reference(); }
std::string deployment::report() { return impl_->report(); }

}  // namespace graceful::testing
