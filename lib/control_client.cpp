// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>

#include "os/control_path.hpp"
#include "os/system_failure.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include "printable.hpp"
#include "varlink_connection.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include <system_error>
#include <unistd.h>

namespace graceful {

namespace {

/// How much longer than the upgrade itself its last answer may take: the successor that was not
/// ready in time is killed and reaped first.
constexpr std::chrono::seconds grace{5};

/// The server's own limit, if the request names none, is not known here: wait as long as it may be.
constexpr std::chrono::milliseconds longest_upgrade = wire::max_timeout;

/// How often a server reports while it drains.
constexpr std::chrono::seconds drain_report_interval{1};

os::deadline after(std::chrono::milliseconds duration) {
  return std::chrono::steady_clock::now() + duration;
}

/// An error reply as a failure.
failure to_failure(const wire::reply& r) {
  static constexpr std::array<std::pair<std::string_view, errc>, 5> known{{
      {wire::busy_error, errc::busy},
      {wire::not_ready_error, errc::not_ready},
      {wire::upgrade_failed_error, errc::upgrade_failed},
      {wire::no_upgrade_error, errc::no_upgrade},
      {wire::permission_denied, errc::permission_denied},
  }};
  auto message = wire::string_field(r.parameters, "message");
  if (message) message = printable(std::move(*message));
  for (const auto& [name, code] : known) {
    if (r.error == name) return {code, message.value_or(make_error_code(code).message())};
  }
  return {errc::protocol_violation, "the server answered with the error " + printable(r.error) +
                                        (message ? ": " + *message : std::string{}) +
                                        "; is it a server of this version?"};
}

/// What the server would not take, and end the connection for.
result<void> check(const upgrade_request& request, const wire::call& call) {
  bool is_text = std::ranges::all_of(request.command, wire::is_text);
  for (const auto& [key, value] : request.environment) {
    is_text = is_text && wire::is_text(key) && wire::is_text(value);
  }
  if (!is_text) {
    return failure{
        errc::invalid_argument,
        "the command and the environment of the new process have to be UTF-8; start it by "
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

failure garbled() {
  return {errc::protocol_violation,
          "what answers at the control socket does not speak this protocol; is it a server of this "
          "version?"};
}

void make_printable(server_status& status) {
  for (auto* text : {&status.name, &status.state, &status.version, &status.last_failure}) {
    *text = printable(std::move(*text));
  }
  for (auto& listener : status.listeners) {
    listener.name = printable(std::move(listener.name));
    listener.address = printable(std::move(listener.address));
  }
}

std::string default_directory() {
  if (::geteuid() == 0) return "/run/graceful";
  const char* runtime = ::secure_getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string{runtime} + "/graceful";
  return "/tmp/graceful-" + std::to_string(::geteuid());
}

}  // namespace

class control_client::impl {
 public:
  impl(varlink_connection connection, std::chrono::milliseconds deadline)
      : connection_{std::move(connection)}, deadline_{deadline} {}

  [[nodiscard]] std::chrono::milliseconds deadline() const { return deadline_; }

  /// One call and its replies. Of which call a reply is, only their order says: what comes late
  /// would be taken for the answer to the next one. So the connection comes back only after the
  /// last reply; whatever ends the call before, an exception too, closes it.
  class conversation {
   public:
    explicit conversation(impl& home)
        : home_{home}, connection_{std::exchange(home.connection_, std::nullopt)} {}

    result<void> begin(const wire::call& call) {
      if (!connection_) {
        return failure{os::system_code(ENOTCONN),
                       "a call on this connection to the server has not had its last answer, so "
                       "no other can be made on it; connect anew"};
      }
      return connection_->send(call, after(home_.deadline_));
    }

    /// The next reply to the call, if it is no error.
    result<wire::reply> receive(os::deadline until) {
      auto message = connection_->receive(until);
      if (!message) return message.error();
      auto reply = wire::parse_reply(message->text);
      if (!reply) return garbled();
      if (reply->error.empty()) return std::move(*reply);
      end();
      return to_failure(*reply);
    }

    /// The last reply has come.
    void end() { home_.connection_ = std::move(connection_); }

   private:
    impl& home_;
    std::optional<varlink_connection> connection_;
  };

  /// A call that has one reply.
  result<wire::reply> ask(std::string_view method) {
    conversation talk{*this};
    if (auto sent = talk.begin({.method = std::string{method}, .parameters = {}}); !sent) {
      return sent.error();
    }
    auto reply = talk.receive(after(deadline_));
    if (reply && !reply->continues) talk.end();
    return reply;
  }

  result<void> order(std::string_view method) {
    if (auto reply = ask(method); !reply) return reply.error();
    return {};
  }

 private:
  std::optional<varlink_connection> connection_;
  std::chrono::milliseconds deadline_;
};

control_client::control_client(std::unique_ptr<impl> p) noexcept : impl_{std::move(p)} {}
control_client::control_client(control_client&&) noexcept = default;
control_client& control_client::operator=(control_client&&) noexcept = default;
control_client::~control_client() = default;

result<control_client> control_client::connect(const std::string& path,
                                               std::chrono::milliseconds deadline) {
  auto connection = varlink_connection::connect(path, after(deadline), os::trust::operators);
  if (!connection) return connection.error();
  return control_client{std::make_unique<impl>(std::move(*connection), deadline)};
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
  impl::conversation talk{*impl_};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  const auto ready_by =
      after(std::min(request.timeout.value_or(longest_upgrade), longest_upgrade) + grace);
  auto until = after(impl_->deadline());
  for (;;) {
    auto reply = talk.receive(until);
    if (!reply) return reply.error();
    auto phase = wire::parse_phase(reply->parameters);
    if (!phase) return garbled();
    phase->phase = printable(std::move(phase->phase));
    phase->json = boost::json::serialize(reply->parameters);
    // A probation may be as long as an upgrade.
    until = phase->phase == "ready" ? after(longest_upgrade + grace) : ready_by;
    if (!reply->continues) talk.end();
    const bool enough = on_phase && !on_phase(*phase);
    if (enough || !reply->continues) return std::move(*phase);
  }
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
    auto reply = talk.receive(after(impl_->deadline() + drain_report_interval));
    if (!reply) return reply.error();
    auto progress = wire::parse_progress(reply->parameters);
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
    auto reply = talk.receive(after(longest_upgrade));
    if (!reply && reply.error().code == errc::timed_out) continue;  // nothing has happened
    if (!reply) return reply.error();
    auto event = wire::parse_event(reply->parameters);
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
  auto metrics = wire::parse_metrics(reply->parameters);
  if (!metrics) return garbled();
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
