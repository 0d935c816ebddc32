// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>

#include "drain/connections.hpp"
#include "drain/drain_waiters.hpp"
#include "listen/foreign_acceptor.hpp"
#include "listen/inventory.hpp"
#include "listen/listener.hpp"
#include "os/home_process.hpp"
#include "os/system_failure.hpp"
#include "server/caretaker.hpp"
#include "server/lifecycle.hpp"
#include "server/settings.hpp"

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace graceful {

namespace {

/// An empty executor would fail later, where nobody can be told.
void check(const asio::any_io_executor& executor, const char* tried) {
  if (executor) return;
  throw error{{errc::invalid_argument, std::string{"cannot "} + tried +
                                           " on an executor that is empty: give that of an "
                                           "io_context, say"}};
}

}  // namespace

class upgrader::impl {
 public:
  impl(executor_type executor, options opts, std::function<void()> stop_context);

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
                     detail::plain_acceptor object);
  bool withdraw(std::string_view name) { return inventory_->withdraw(name); }
  void drop(std::string_view name) { inventory_->remove(name, nullptr); }
  connection track(executor_type executor, connection::stage_handler on_stage) {
    return connections_->track(std::move(executor), std::move(on_stage));
  }

  /// See os::in_words. Tells the predecessor too.
  template <class F>
  decltype(auto) in_words(const std::string& tried, F&& f) {
    try {
      return os::in_words(tried, std::forward<F>(f));
    } catch (const error& e) {
      life_.note_failure(e.what());
      throw;
    }
  }

  [[nodiscard]] lifecycle& life() { return life_; }
  [[nodiscard]] bool at_home() const { return home_.is_this(); }
  [[nodiscard]] const executor_type& executor() const { return executor_; }
  [[nodiscard]] drain_waiters& waiters() { return *waiters_; }
  [[nodiscard]] drain_waiters& commit_waiters() { return *commit_waiters_; }

 private:
  const os::home_process home_;
  const executor_type executor_;
  executor_type work_;  // keeps the context of executor_ running until this process drains
  const options options_;
  log log_;
  std::shared_ptr<inventory> inventory_;
  std::shared_ptr<drain_waiters> waiters_;
  std::shared_ptr<drain_waiters> commit_waiters_;
  plain_acceptors plain_;
  std::shared_ptr<connections> connections_;
  lifecycle life_;
};

upgrader::impl::impl(executor_type executor, options opts, std::function<void()> stop_context)
    : executor_{std::move(executor)},
      work_{asio::prefer(executor_, asio::execution::outstanding_work.tracked)},
      options_{bounded(std::move(opts))},
      log_{options_.log, options_.log_threshold},
      inventory_{std::make_shared<inventory>(log_)},
      waiters_{std::make_shared<drain_waiters>(executor_)},
      commit_waiters_{std::make_shared<drain_waiters>(executor_)},
      connections_{std::make_shared<connections>(handoff::drain_limits{
          options_.drain_timeout, options_.idle_grace, options_.drain_spread})},
      life_{options_,
            {.messages = log_,
             .sockets = *inventory_,
             .tracked = *connections_,
             .waiters = *waiters_,
             .commit_waiters = *commit_waiters_,
             .plain = plain_,
             .application = executor_,
             .release_work = [this] { work_ = executor_type{}; },
             .stop_context = std::move(stop_context)}} {}

std::shared_ptr<const listening_socket> upgrader::impl::obtain(std::string_view name,
                                                               const os::socket_address& address,
                                                               const listen_params& params,
                                                               unique_fd own) {
  auto socket = inventory_->obtain(name, address, params, std::move(own));
  if (!socket) life_.note_failure(socket.error().message);
  return std::move(socket).value();
}

std::shared_ptr<detail::listener> upgrader::impl::listen(executor_type executor,
                                                         std::string_view name,
                                                         const os::socket_address& address,
                                                         const listen_params& params) {
  auto socket = obtain(name, address, params, {});
  try {
    auto body = in_words("cannot listen", [&] {
      return std::make_shared<detail::listener>(std::move(executor), std::move(socket), inventory_);
    });
    inventory_->attach(name, body);
    return body;
  } catch (...) {
    // No process would accept from it, neither this one nor a successor.
    drop(name);
    throw;
  }
}

std::vector<std::shared_ptr<detail::listener>> upgrader::impl::listen_group(
    const std::vector<executor_type>& executors, std::string_view name,
    const os::socket_address& address, const listen_params& params) {
  auto group = in_words("cannot listen", [&] {
    return graceful::listen_group(inventory_, log_, executors, name, address, params);
  });
  if (!group) life_.note_failure(group.error().message);
  return std::move(group).value();
}

void upgrader::impl::watch_foreign(std::string_view name, int fd, const executor_type& executor,
                                   detail::plain_acceptor object) {
  auto plain =
      std::make_shared<foreign_acceptor>(executor, fd, inventory_->find(name), std::move(object));
  if (!plain->cannot_pause().empty()) {
    log_.warning("listener '" + std::string{name} +
                 "': in the probation of a successor this process goes on accepting there, beside "
                 "the successor: " +
                 plain->cannot_pause());
  }
  plain_.add(plain);
  inventory_->attach(name, std::move(plain));
}

upgrader::upgrader(detail::this_asio_abi /*abi*/, executor_type executor, options opts,
                   std::function<void()> stop_context)
    : impl_{os::in_words("cannot make the upgrader", [&] {
        check(executor, "make an upgrader");
        return std::make_unique<impl>(std::move(executor), std::move(opts),
                                      std::move(stop_context));
      })} {}

/// Ends nothing in a child of fork(2): the parent keeps serving, and needs it.
upgrader::~upgrader() {
  if (!impl_->at_home()) os::leave_alone(std::move(impl_));
}

std::shared_ptr<detail::listener> upgrader::make_listener(executor_type executor,
                                                          std::string_view name,
                                                          const sockaddr* address, socklen_t length,
                                                          const listen_params& params) {
  check(executor, "listen");
  return impl_->listen(std::move(executor), name, {address, length}, params);
}

std::vector<std::shared_ptr<detail::listener>> upgrader::make_group(
    const std::vector<executor_type>& executors, std::string_view name, const sockaddr* address,
    socklen_t length, const listen_params& params) {
  for (const auto& executor : executors) check(executor, "listen");
  return impl_->listen_group(executors, name, {address, length}, params);
}

unique_fd upgrader::make_foreign(std::string_view name, const sockaddr* address, socklen_t length,
                                 const listen_params& params, unique_fd own) {
  const auto socket = impl_->obtain(name, {address, length}, params, std::move(own));
  try {
    return duplicate(socket->fd.get());
  } catch (...) {
    impl_->drop(name);
    throw;
  }
}

unique_fd upgrader::duplicate(int fd) {
  unique_fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
  if (!copy) throw error{os::system_failure("cannot duplicate a listening socket")};
  return copy;
}

void upgrader::watch_foreign(std::string_view name, int fd, const executor_type& executor,
                             detail::plain_acceptor object) {
  impl_->in_words("cannot listen",
                  [&] { impl_->watch_foreign(name, fd, executor, std::move(object)); });
}

bool upgrader::withdraw(std::string_view name) { return impl_->withdraw(name); }

void upgrader::drop_foreign(std::string_view name) { impl_->drop(name); }

void upgrader::ready() { impl_->life().ready(); }

connection upgrader::track(executor_type executor, connection::stage_handler on_stage) {
  check(executor, "track a connection");
  return impl_->track(std::move(executor), std::move(on_stage));
}

void upgrader::drain() { impl_->life().drain(false); }

void upgrader::drain_now() { impl_->life().drain(true); }

void upgrader::handle_signals() {
  impl_->in_words("cannot take signals", [this] { impl_->life().handle_signals(); });
}

std::uint64_t upgrader::generation() const noexcept { return impl_->life().generation(); }

std::string upgrader::metrics() const { return impl_->life().metrics(); }

bool upgrader::draining() const noexcept { return impl_->life().draining(); }

void upgrader::end_control() {
  if (impl_->at_home()) impl_->life().end_control();
}

void upgrader::wait_commit(drain_handler handler, executor_type own) {
  impl_->commit_waiters().wait(std::move(handler), std::move(own));
}

void upgrader::wait_drain(drain_handler handler, executor_type own) {
  impl_->waiters().wait(std::move(handler), std::move(own));
}

upgrader::executor_type upgrader::get_executor() const { return impl_->executor(); }

}  // namespace graceful
