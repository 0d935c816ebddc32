// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>
#include <graceful/version.hpp>

#include "os/control_path.hpp"
#include "os/listening_socket.hpp"
#include "os/start_command.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include "connections.hpp"
#include "control_server.hpp"
#include "control_thread.hpp"
#include "drain.hpp"
#include "drain_waiters.hpp"
#include "foreign_acceptor.hpp"
#include "inventory.hpp"
#include "last_call.hpp"
#include "listener.hpp"
#include "listener_group.hpp"
#include "predecessor_driver.hpp"
#include "predecessor_watch.hpp"
#include "settings.hpp"
#include "signal_actions.hpp"
#include "takeover.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace graceful {

namespace {

/// How long a predecessor may take to accept again.
constexpr std::chrono::seconds predecessor_patience{2};

constexpr const char* upgrade_variable = "GRACEFUL_UPGRADE";
constexpr const char* takeover_variable = "GRACEFUL_TAKEOVER";

/// Reads a variable and takes it out of the environment, so that no child inherits it.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string copy = value == nullptr ? "" : value;
  ::unsetenv(name);
  return copy;
}

sigset_t current_signal_mask() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

}  // namespace

class upgrader::impl {
 public:
  impl(executor_type executor, options opts, std::function<void()> stop_context);
  ~impl();

  std::shared_ptr<detail::listener> listen(executor_type executor, std::string_view name,
                                           const os::socket_address& address,
                                           const listen_params& params);
  std::vector<std::shared_ptr<detail::listener>> listen_group(
      const std::vector<executor_type>& executors, std::string_view name,
      const os::socket_address& address, const listen_params& params);
  std::shared_ptr<const listening_socket> obtain(std::string_view name,
                                                 const os::socket_address& address,
                                                 const listen_params& params, unique_fd own);
  void watch_foreign(std::string_view name, int fd, const executor_type& executor,
                     foreign_stop stop);
  void drop_foreign(std::string_view name) { inventory_->remove(name, nullptr); }
  void ready();
  connection track(executor_type executor, connection::stage_handler on_stage) {
    return connections_->track(std::move(executor), std::move(on_stage));
  }
  void drain(bool now) {
    asio::post(control_.context(), [this, now] { end(now); });
  }
  void handle_signals();

  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] const executor_type& executor() const { return executor_; }
  [[nodiscard]] drain_waiters& waiters() { return *waiters_; }

 private:
  void serve_control();
  void hand_over();
  void commit();
  void roll_back(const std::string& why);
  void let_go();
  void ask_predecessor_back();
  void end(bool now);
  void stop_accepting();
  void upgrade_by_signal();
  void cut_short();
  [[nodiscard]] std::optional<wire::reply> refusal() const;
  std::vector<offered_descriptor> offer();
  [[nodiscard]] server_status status() const;
  predecessor_driver::settings driver_settings(os::start_command start);

  const executor_type executor_;
  executor_type work_;  // keeps the context of executor_ running, until this process drains
  const options options_;
  const std::string control_path_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();

  log log_;
  std::shared_ptr<inventory> inventory_;
  std::shared_ptr<drain_waiters> waiters_;
  std::shared_ptr<connections> connections_;
  ownership owned_;
  std::optional<os::file_id> control_file_;
  std::uint64_t generation_ = 1;
  std::string last_failure_;  // of listen()

  std::mutex ready_mutex_;
  std::optional<failure> ready_failure_;  // final: the predecessor serves on
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> handed_over_{false};  // to a successor, or back to the predecessor
  std::atomic<bool> committed_{false};    // nobody else may go on accepting

  // Used on the control thread only, from its start to its end.
  control_thread control_;
  std::optional<predecessor_driver> driver_;
  std::optional<control_server> server_;
  std::optional<predecessor_watch> predecessor_;
  const std::function<void()> stop_context_;  // empty: there is none that could be stopped
  class drain drain_;
  last_call last_call_;
  std::once_flag signals_once_;
  std::optional<signal_actions> signals_;
};

upgrader::impl::impl(executor_type executor, options opts, std::function<void()> stop_context)
    : executor_{std::move(executor)},
      work_{asio::prefer(executor_, asio::execution::outstanding_work.tracked)},
      options_{bounded(std::move(opts))},
      control_path_{control_path_of(options_).value()},
      log_{options_.log},
      inventory_{std::make_shared<inventory>(log_)},
      waiters_{std::make_shared<drain_waiters>(executor_)},
      connections_{std::make_shared<connections>(handoff::drain_limits{
          options_.drain_timeout, options_.idle_grace, options_.drain_spread})},
      control_{log_},
      stop_context_{std::move(stop_context)},
      drain_{control_.context(), log_, *connections_, [this] { cut_short(); }},
      last_call_{control_.context(), *inventory_, [this] { stop_accepting(); }} {
  auto start = os::start_command::of_this_process();
  const std::string token = take_variable(upgrade_variable);
  const bool explicitly = take_variable(takeover_variable) == "1" || options_.takeover;
  start.unset(upgrade_variable);
  start.unset(takeover_variable);

  auto taken = take_ownership({.control_path = control_path_,
                               .token = token,
                               .explicitly = explicitly,
                               .step_timeout = options_.handoff_timeout},
                              log_)
                   .value();
  owned_ = std::move(taken.owned);
  control_file_ = os::identify(control_path_);
  if (owned_.predecessor) generation_ = owned_.predecessor->offer().generation;
  for (auto& [name, fd] : taken.listeners) inventory_->inherit(std::move(name), std::move(fd));

  driver_.emplace(control_.context(), log_, driver_settings(std::move(start)));
  server_.emplace(control_.context(), log_, *driver_,
                  control_server::settings{.status = [this] { return status(); },
                                           .refusal = [this] { return refusal(); },
                                           .drain =
                                               [this](control_session& from, bool now) {
                                                 // Who is meant, the one that serves or the one
                                                 // that waits?
                                                 if (driver_->in_probation()) {
                                                   return from.reply(wire::to_error(
                                                       wire::busy_error, driver_->why_busy()));
                                                 }
                                                 end(now);
                                                 drain_.watch(from);
                                               }});
  // A successor answers on the control socket when it is ready; until then its predecessor does.
  if (!owned_.predecessor) serve_control();
  committed_ = !owned_.predecessor;
  control_.start();
}

upgrader::impl::~impl() {
  // The control thread's own objects are ended on it; what is left is ended here, alone.
  asio::post(control_.context(), [this] {
    driver_->shutdown();
    drain_.finish();
    signals_.reset();
    server_->stop();
    control_.context().stop();
  });
  control_.wait();
  if (owned_.predecessor && !ready_ && !ready_failure_) {
    owned_.predecessor->fail(last_failure_.empty() ? "it ended before it was ready"
                                                   : last_failure_);
  }
  inventory_->stop();
  waiters_->complete(asio::error::operation_aborted);
  // Only the last generation removes the paths. Whoever has a predecessor that still serves, or
  // has handed over, leaves them to the other.
  const bool ours = !handed_over_ && committed_;
  if (ours) {
    os::remove_path(control_path_, control_file_);
    os::remove_path(os::lock_path(control_path_), os::identify(owned_.lock.get()));
  }
}

predecessor_driver::settings upgrader::impl::driver_settings(os::start_command start) {
  return {.name = options_.name.empty() ? std::filesystem::path{control_path_}.filename().string()
                                        : options_.name,
          .generation = generation_,
          .start = std::move(start),
          .signal_mask = current_signal_mask(),
          .ready_timeout = options_.ready_timeout,
          .offer = [this] { return offer(); },
          .withdraw = [this] { inventory_->thaw(); },
          .probation = options_.probation,
          .pause_accepting = [this] { inventory_->pause(); },
          .resume_accepting = [this] { inventory_->resume(); },
          .stop_accepting = [this] { hand_over(); }};
}

void upgrader::impl::serve_control() { server_->start(owned_.control.get()); }

std::shared_ptr<const listening_socket> upgrader::impl::obtain(std::string_view name,
                                                               const os::socket_address& address,
                                                               const listen_params& params,
                                                               unique_fd own) {
  auto socket = inventory_->obtain(name, address, params, std::move(own));
  if (!socket) {
    const std::lock_guard lock{ready_mutex_};
    last_failure_ = socket.error().message;
  }
  return std::move(socket).value();
}

std::shared_ptr<detail::listener> upgrader::impl::listen(executor_type executor,
                                                         std::string_view name,
                                                         const os::socket_address& address,
                                                         const listen_params& params) {
  auto socket = obtain(name, address, params, {});
  auto body =
      std::make_shared<detail::listener>(std::move(executor), std::move(socket), inventory_);
  inventory_->attach(name, body);
  return body;
}

std::vector<std::shared_ptr<detail::listener>> upgrader::impl::listen_group(
    const std::vector<executor_type>& executors, std::string_view name,
    const os::socket_address& address, const listen_params& params) {
  auto group = graceful::listen_group(inventory_, log_, executors, name, address, params);
  if (!group) {
    const std::lock_guard lock{ready_mutex_};
    last_failure_ = group.error().message;
  }
  return std::move(group).value();
}

void upgrader::impl::watch_foreign(std::string_view name, int fd, const executor_type& executor,
                                   foreign_stop stop) {
  inventory_->attach(name, std::make_shared<foreign_acceptor>(executor, fd, inventory_->find(name),
                                                              std::move(stop)));
}

void upgrader::impl::ready() {
  const std::lock_guard lock{ready_mutex_};
  if (ready_) return;
  if (draining_ && owned_.predecessor && !ready_failure_) {
    ready_failure_ = failure{errc::upgrade_failed, "it was told to end before it was ready"};
    owned_.predecessor->fail(ready_failure_->message);
  }
  if (ready_failure_) throw error{*ready_failure_};
  if (owned_.predecessor) {
    if (const auto outcome = owned_.predecessor->ready(); !outcome) {
      ready_failure_ = outcome.error();
      throw error{*ready_failure_};
    }
  }
  ready_ = true;
  inventory_->open();
  log_.info("generation " + std::to_string(generation_) + " serves");
  if (!owned_.predecessor) return;
  asio::post(control_.context(), [this] {
    predecessor_.emplace(
        control_.context(), log_, owned_.predecessor->predecessor_pid(),
        owned_.predecessor->release(),
        predecessor_watch::outcomes{[this] { commit(); },
                                    [this](const std::string& why) { roll_back(why); }});
  });
}

/// On the control thread: the predecessor does not come back.
void upgrader::impl::commit() {
  if (handed_over_ || committed_.exchange(true)) return;
  inventory_->commit();
  os::adopt_control(owned_.control.get());
  serve_control();
}

/// On the control thread: the predecessor accepts again.
void upgrader::impl::roll_back(const std::string& why) {
  if (handed_over_) return;
  log_.warning("rolled back: " + why + "; this process drains, its predecessor serves");
  let_go();
}

/// On the control thread, when a successor has said that it is ready.
void upgrader::impl::hand_over() { let_go(); }

/// What this process served it serves no more, and somebody else does.
void upgrader::impl::let_go() {
  handed_over_ = true;
  draining_ = true;
  server_->stop_accepting();
  owned_.control.reset();
  owned_.lock.reset();
  stop_accepting();
  waiters_->complete({});
  drain_.begin();
}

/// On the control thread: this process ends, and nobody succeeds it.
void upgrader::impl::end(bool now) {
  const std::lock_guard lock{ready_mutex_};
  if (!draining_) {
    log_.info(now ? "this process ends" : "this process drains, and ends");
    driver_->shutdown();  // commits, if a successor is in probation: then nothing is left to do
  }
  if (!draining_.exchange(true)) {
    if (ready_ && !committed_) ask_predecessor_back();
    // A socket that a predecessor serves too is not to be touched.
    if (committed_) {
      last_call_.begin();
    } else {
      handed_over_ = ready_.load();
      stop_accepting();
    }
    waiters_->complete({});
    drain_.begin();
  }
  if (!now) return;
  last_call_.end();
  drain_.hurry();
}

/// This process ends in its probation: its predecessor goes on, before this one stops.
void upgrader::impl::ask_predecessor_back() {
  auto client = control_client::connect(control_path_, predecessor_patience);
  const auto back = client ? client->rollback() : client.error();
  if (back) return;
  log_.error("the predecessor does not serve again: " + back.error().message);
  // It has just committed, or has gone: nobody serves then who could be disturbed.
  const auto& code = back.error().code;
  if (code == errc::no_upgrade || code == errc::not_running || code == errc::peer_gone) commit();
}

/// On the control thread. From now on nothing but connections keeps the context running.
void upgrader::impl::stop_accepting() {
  inventory_->stop();
  work_ = executor_type{};
}

void upgrader::impl::handle_signals() {
  std::call_once(signals_once_, [this] {
    const auto drain = [this](bool now) {
      if (draining_ && !now) log_.info("this process drains already; a second signal ends it");
      end(now);
    };
    signals_.emplace(control_.context(),
                     signal_actions::actions{drain, [this] { upgrade_by_signal(); }});
  });
}

void upgrader::impl::upgrade_by_signal() {
  if (const auto why = refusal()) {
    log_.warning("SIGUSR2: no upgrade: " +
                 wire::string_field(why->parameters, "message").value_or(why->error));
  } else {
    driver_->upgrade();
  }
}

/// What is left at the deadline has no token, or does not heed it, or does not accept any more.
void upgrader::impl::cut_short() {
  last_call_.end();
  if (!stop_context_) return;
  log_.warning("drain: the deadline has passed and something still runs: stopping the context");
  stop_context_();
}

/// Why this process takes part in no upgrade now.
std::optional<wire::reply> upgrader::impl::refusal() const {
  if (draining_ && !handed_over_) {
    return wire::to_error(wire::busy_error, "the server drains, and ends; start it anew");
  }
  if (ready_ && !committed_) {
    return wire::to_error(wire::busy_error, "this process is in its probation");
  }
  if (!ready_) {
    return wire::to_error(wire::not_ready_error, "the server has not finished starting; try again");
  }
  return {};
}

std::vector<offered_descriptor> upgrader::impl::offer() {
  // Duplicates: a batch may still be under way when the handover closes the originals.
  const auto shared = [](const unique_fd& fd) -> passed_descriptor {
    auto copy = std::make_shared<unique_fd>(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    return {copy->get(), copy};
  };
  const auto sockets = inventory_->freeze();
  std::vector<offered_descriptor> offered;
  offered.reserve(sockets.size() + 2);
  offered.push_back({std::string{wire::lock_name}, shared(owned_.lock)});
  offered.push_back({std::string{wire::control_name}, shared(owned_.control)});
  for (const auto& socket : sockets) {
    offered.push_back({socket->name, {socket->fd.get(), socket}});
  }
  return offered;
}

server_status upgrader::impl::status() const {
  using namespace std::chrono;
  const bool probation = driver_->in_probation();
  const char* state = draining_         ? "draining"
                      : !ready_         ? "starting"
                      : probation       ? "probation"
                      : driver_->busy() ? "upgrading"
                                        : "serving";
  server_status s{.name = driver_->name(),
                  .generation = generation_,
                  .pid = ::getpid(),
                  .uptime = duration_cast<milliseconds>(steady_clock::now() - started_),
                  .state = state,
                  .version = GRACEFUL_VERSION_STRING,
                  .connections = connections_->open(),
                  .listeners = {},
                  .predecessor_pid = {},
                  .successor_pid = driver_->on_probation(),
                  .last_failure = driver_->last_failure(),
                  .json = {}};
  for (const auto& socket : inventory_->sockets()) {
    const auto queue = os::accept_queue_of(socket->fd.get());
    s.listeners.push_back({socket->name, socket->address.to_string(), queue.length, queue.limit});
  }
  if (predecessor_ && predecessor_->alive()) s.predecessor_pid = predecessor_->pid();
  return s;
}

upgrader::upgrader(detail::this_asio_abi /*abi*/, executor_type executor, options opts,
                   std::function<void()> stop_context)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(opts), std::move(stop_context))} {
}

upgrader::~upgrader() = default;

std::shared_ptr<detail::listener> upgrader::make_listener(executor_type executor,
                                                          std::string_view name,
                                                          const sockaddr* address, socklen_t length,
                                                          const listen_params& params) {
  return impl_->listen(std::move(executor), name, {address, length}, params);
}

std::vector<std::shared_ptr<detail::listener>> upgrader::make_group(
    const std::vector<executor_type>& executors, std::string_view name, const sockaddr* address,
    socklen_t length, const listen_params& params) {
  return impl_->listen_group(executors, name, {address, length}, params);
}

unique_fd upgrader::make_foreign(std::string_view name, const sockaddr* address, socklen_t length,
                                 const listen_params& params, unique_fd own) {
  const auto socket = impl_->obtain(name, {address, length}, params, std::move(own));
  unique_fd copy{::fcntl(socket->fd.get(), F_DUPFD_CLOEXEC, 3)};
  if (!copy) {
    throw error{{error_code{errno, boost::system::system_category()},
                 "cannot duplicate the socket of listener '" + socket->name + "'"}};
  }
  return copy;
}

void upgrader::watch_foreign(std::string_view name, int fd, const executor_type& executor,
                             foreign_stop stop) {
  impl_->watch_foreign(name, fd, executor, std::move(stop));
}

void upgrader::drop_foreign(std::string_view name) { impl_->drop_foreign(name); }

void upgrader::ready() { impl_->ready(); }

connection upgrader::track(executor_type executor, connection::stage_handler on_stage) {
  return impl_->track(std::move(executor), std::move(on_stage));
}

void upgrader::drain() { impl_->drain(false); }

void upgrader::drain_now() { impl_->drain(true); }

void upgrader::handle_signals() { impl_->handle_signals(); }

std::uint64_t upgrader::generation() const noexcept { return impl_->generation(); }

bool upgrader::draining() const noexcept { return impl_->draining(); }

void upgrader::wait_drain(drain_handler handler) { impl_->waiters().wait(std::move(handler)); }

upgrader::executor_type upgrader::get_executor() const { return impl_->executor(); }

}  // namespace graceful
