// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>
#include <graceful/phases.hpp>

#include "control/varlink_caller.hpp"
#include "os/at_start.hpp"
#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "os/peer.hpp"
#include "os/text.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful {

namespace {

/// How much longer than the upgrade itself its last answer may take: a successor that was not ready
/// in time is killed and reaped first.
constexpr std::chrono::seconds grace{5};

/// If the request names no limit, the server's own applies, which is unknown here. So wait for the
/// longest possible.
constexpr std::chrono::milliseconds longest_upgrade = wire::max_timeout;

/// How often a server reports while it drains.
constexpr std::chrono::seconds drain_report_interval{1};

/// Checks what the server would answer by closing the connection.
result<void> check(const upgrade_request& request, const wire::call& call) {
  bool sayable = std::ranges::all_of(request.command, is_text) && is_text(request.directory);
  for (const auto& [key, value] : request.environment) {
    sayable = sayable && is_text(key) && is_text(value);
  }
  if (!sayable) {
    return failure{
        errc::invalid_argument,
        "the command, directory and environment of the new process have to be UTF-8; start it by "
        "a script that says the rest"};
  }
  if (wire::to_message(call).size() > wire::max_call_size) {
    return failure{
        errc::invalid_argument,
        "the command and the environment of the new process are too long for one call (" +
            std::to_string(wire::max_call_size / 1024) +
            " KiB); start it by a script that says the rest"};
  }
  return {};
}

/// Asks the server whether its interface contains `part`. `otherwise` completes the sentence "the
/// server is of an older build, ...".
result<void> check_offers(varlink_caller& server, std::string_view part, const char* otherwise) {
  wire::call call{.method = "org.varlink.service.GetInterfaceDescription", .parameters = {}};
  call.parameters["interface"] = "io.graceful.Control";
  varlink_caller::conversation talk{server};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  const auto reply = talk.receive(os::after(server.deadline()));
  if (!reply) return reply.error();
  talk.end();
  const auto description = wire::string_field(reply->parameters, "description");
  if (description && description->find(part) != std::string::npos) return {};
  return failure{errc::incompatible_version,
                 std::string{"the server is of an older build, "} + otherwise};
}

void make_printable(std::vector<std::string>& texts) {
  for (auto& text : texts) text = printable(std::move(text));
}

void make_printable(server_status& status) {
  for (auto* text : {&status.name, &status.state, &status.version, &status.last_failure}) {
    *text = printable(std::move(*text));
  }
  for (auto& listener : status.listeners) {
    listener.name = printable(std::move(listener.name));
    listener.address = printable(std::move(listener.address));
  }
  make_printable(status.dropped);
  make_printable(status.dropped_addresses);
}

void make_printable(upgrade_plan& plan) {
  plan.program = printable(std::move(plan.program));
  plan.directory = printable(std::move(plan.directory));
  make_printable(plan.arguments);
  std::map<std::string, std::string> environment;
  for (auto& [key, value] : plan.environment) environment[printable(key)] = printable(value);
  plan.environment = std::move(environment);
  for (auto& listener : plan.listeners) {
    listener.name = printable(std::move(listener.name));
    listener.address = printable(std::move(listener.address));
  }
  for (auto& obstacle : plan.obstacles) {
    obstacle.kind = printable(std::move(obstacle.kind));
    obstacle.message = printable(std::move(obstacle.message));
  }
}

bool is_directory_of(uid_t user, const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user &&
         os::is_one_user(user);
}

/// Server and operator must find the same directory, although one may lack the variable, or have
/// that of the user before su(1). So what the kernel says counts first.
std::string default_directory() {
  const uid_t user = ::geteuid();
  if (user == 0) return "/run/graceful";
  const auto usual = "/run/user/" + std::to_string(user);
  if (is_directory_of(user, usual)) return usual + "/graceful";
  const auto variable = os::trusted_variable("XDG_RUNTIME_DIR");
  if (variable.starts_with('/') && is_directory_of(user, variable)) return variable + "/graceful";
  return "/tmp/graceful-" + std::to_string(user);
}

}  // namespace

class control_client::impl : public varlink_caller {
 public:
  explicit impl(varlink_caller caller) : varlink_caller{std::move(caller)} {}
};

control_client::control_client(std::unique_ptr<impl> p) noexcept : impl_{std::move(p)} {}
control_client::control_client(control_client&&) noexcept = default;
control_client& control_client::operator=(control_client&&) noexcept = default;
control_client::~control_client() = default;

result<control_client> control_client::connect(const std::string& path,
                                               std::chrono::milliseconds deadline) {
  auto caller = varlink_caller::connect(path, deadline);
  if (!caller) return caller.error();
  return control_client{std::make_unique<impl>(std::move(*caller))};
}

result<server_status> control_client::status() {
  auto reply = impl_->ask(wire::status_method);
  if (!reply) return reply.error();
  auto status = wire::parse_status(reply->parameters);
  if (!status) return garbled();
  make_printable(*status);
  status->json = boost::json::serialize(reply->parameters);
  return std::move(*status);
}

result<upgrade_phase> control_client::upgrade(
    const upgrade_request& request, const std::function<bool(const upgrade_phase&)>& on_phase) {
  const auto call = wire::to_call(request);
  if (auto sayable = check(request, call); !sayable) return sayable.error();
  if (!request.directory.empty()) {
    // An older server ignores the parameter and would start its successor in its own directory.
    const auto known =
        check_offers(*impl_, "directory: ?string",
                     "which cannot start its successor in another directory; upgrade "
                     "it without one first, or start it again there");
    if (!known) return known.error();
  }
  impl::conversation talk{*impl_};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  const auto ready_by =
      os::after(std::min(request.timeout.value_or(longest_upgrade), longest_upgrade) + grace);
  auto until = os::after(impl_->deadline());
  for (;;) {
    auto reply = talk.receive(until);
    if (!reply) return reply.error();
    auto phase = wire::parse_phase(reply->parameters);
    if (!phase) return garbled();
    phase->phase = printable(std::move(phase->phase));
    make_printable(phase->dropped);
    make_printable(phase->dropped_addresses);
    phase->json = boost::json::serialize(reply->parameters);
    // A probation may last as long as an upgrade.
    until = phase->phase == phases::ready ? os::after(longest_upgrade + grace) : ready_by;
    if (!reply->continues) talk.end();
    const bool enough = on_phase && !on_phase(*phase);
    if (enough || !reply->continues) return std::move(*phase);
  }
}

result<upgrade_plan> control_client::plan(const upgrade_request& request) {
  const auto call = wire::to_call(request, wire::plan_method);
  if (auto sayable = check(request, call); !sayable) return sayable.error();
  const auto known = check_offers(*impl_, "method Plan(",
                                  "which cannot say what an upgrade would do; nothing was begun. "
                                  "Upgrade it without --dry-run");
  if (!known) return known.error();
  impl::conversation talk{*impl_};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  auto reply = talk.receive(os::after(impl_->deadline()));
  if (!reply) return reply.error();
  if (!reply->continues) talk.end();
  auto plan = wire::parse<upgrade_plan>(reply->parameters);
  if (!plan) return garbled();
  make_printable(*plan);
  plan->json = boost::json::serialize(reply->parameters);
  return std::move(*plan);
}

result<void> control_client::commit() { return impl_->order(wire::commit_method); }
result<void> control_client::rollback() { return impl_->order(wire::rollback_method); }
result<void> control_client::abort() { return impl_->order(wire::abort_method); }

result<drain_progress> control_client::drain(
    bool now, const std::function<void(const drain_progress&)>& on_progress) {
  wire::call call{.method = std::string{wire::drain_method}, .parameters = {}, .more = true};
  if (now) call.parameters["now"] = true;
  impl::conversation talk{*impl_};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  for (;;) {
    auto reply = talk.receive(os::after(impl_->deadline() + drain_report_interval));
    if (!reply) return reply.error();
    auto progress = wire::parse<drain_progress>(reply->parameters);
    if (!progress) return garbled();
    progress->phase = printable(std::move(progress->phase));
    progress->json = boost::json::serialize(reply->parameters);
    if (!reply->continues) talk.end();
    if (on_progress) on_progress(*progress);
    if (!reply->continues) return std::move(*progress);
  }
}

result<server_event> control_client::monitor(
    const std::function<void(const server_event&)>& on_event) {
  const wire::call call{
      .method = std::string{wire::monitor_method}, .parameters = {}, .more = true};
  impl::conversation talk{*impl_};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  for (;;) {
    auto reply = talk.receive(os::deadline::max());  // a long time may pass without an event
    if (!reply) return reply.error();
    auto event = wire::parse<server_event>(reply->parameters);
    if (!event) return garbled();
    event->event = printable(std::move(event->event));
    event->message = printable(std::move(event->message));
    event->json = boost::json::serialize(reply->parameters);
    if (!reply->continues) talk.end();
    if (on_event) on_event(*event);
    if (!reply->continues) return std::move(*event);
  }
}

result<server_metrics> control_client::metrics() {
  auto reply = impl_->ask(wire::metrics_method);
  if (!reply) return reply.error();
  auto metrics = wire::parse<server_metrics>(reply->parameters);
  if (!metrics) return garbled();
  metrics->text = printable_lines(metrics->text);
  metrics->json = boost::json::serialize(reply->parameters);
  return std::move(*metrics);
}

std::string default_control_path(std::string_view name) {
  return default_directory() + '/' + std::string{name} + ".sock";
}

result<std::vector<std::string>> find_control_paths() {
  std::vector<std::string> paths;
  if (auto trusted = os::check_private_directory(default_directory()); !trusted) {
    if (trusted.error().code == boost::system::errc::no_such_file_or_directory) return paths;
    return trusted.error();
  }
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator{default_directory(), ec}) {
    std::error_code ignored;
    if (entry.is_socket(ignored) && entry.path().extension() == ".sock" &&
        !entry.path().stem().string().starts_with('.')) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace graceful
