// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/upgrader.hpp>

#include "listen/foreign_acceptor.hpp"
#include "listen/listener.hpp"
#include "os/home_process.hpp"
#include "os/system_failure.hpp"
#include "server/lifecycle.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace graceful {

namespace {

void check_waits(const listen_params& params) {
  if (!params.blocking) return;
  throw error{{errc::invalid_argument,
               "listen_params::blocking is for servers that accept by means of their own "
               "(<graceful/native.hpp>); Asio's sockets do not wait in accept(2)"}};
}

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
  impl(executor_type executor, options opts, std::function<void()> stop_context)
      : life{std::move(executor), std::move(opts), {.stop_context = std::move(stop_context)}} {}

  /// See os::in_words. Tells the predecessor too.
  template <class F>
  decltype(auto) in_words(const std::string& tried, F&& f) {
    try {
      return os::in_words(tried, std::forward<F>(f));
    } catch (const error& e) {
      life.note_failure(e.what());
      throw;
    }
  }

  const os::home_process home;
  lifecycle life;
};

upgrader::upgrader(detail::this_asio_abi /*abi*/, executor_type executor, options opts,
                   std::function<void()> stop_context)
    : impl_{os::in_words("cannot make the upgrader", [&] {
        check(executor, "make an upgrader");
        return std::make_unique<impl>(std::move(executor), std::move(opts),
                                      std::move(stop_context));
      })} {}

/// Ends nothing in a child of fork(2): the parent keeps serving, and needs it.
upgrader::~upgrader() {
  if (!impl_->home.is_this()) os::leave_alone(std::move(impl_));
}

std::shared_ptr<detail::listener> upgrader::make_listener(executor_type executor,
                                                          std::string_view name,
                                                          const sockaddr* address, socklen_t length,
                                                          const listen_params& params) {
  check(executor, "listen");
  check_waits(params);
  return impl_->in_words("cannot listen", [&] {
    const auto& sockets = impl_->life.sockets();
    auto socket = sockets->obtain(name, {address, length}, params, {}).value();
    try {
      auto body =
          std::make_shared<detail::listener>(std::move(executor), std::move(socket), sockets);
      sockets->attach(name, body);
      return body;
    } catch (...) {
      // No process would accept from it, neither this one nor a successor.
      drop_foreign(name);
      throw;
    }
  });
}

std::vector<std::shared_ptr<detail::listener>> upgrader::make_group(
    const std::vector<executor_type>& executors, std::string_view name, const sockaddr* address,
    socklen_t length, const listen_params& params) {
  for (const auto& executor : executors) check(executor, "listen");
  check_waits(params);
  return impl_->in_words("cannot listen", [&] {
    return graceful::listen_group(impl_->life.sockets(), impl_->life.messages(), executors, name,
                                  {address, length}, params)
        .value();
  });
}

unique_fd upgrader::make_foreign(std::string_view name, const sockaddr* address, socklen_t length,
                                 const listen_params& params, unique_fd own) {
  check_waits(params);
  return impl_->in_words("cannot listen", [&] {
    const auto socket =
        impl_->life.sockets()->obtain(name, {address, length}, params, std::move(own)).value();
    try {
      return duplicate(socket->fd.get());
    } catch (...) {
      drop_foreign(name);
      throw;
    }
  });
}

unique_fd upgrader::duplicate(int fd) {
  unique_fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
  if (!copy) throw error{os::system_failure("cannot duplicate a listening socket")};
  return copy;
}

void upgrader::watch_foreign(std::string_view name, int fd, const executor_type& executor,
                             detail::plain_acceptor object) {
  impl_->in_words("cannot listen", [&] {
    auto plain = std::make_shared<foreign_acceptor>(executor, fd, impl_->life.sockets()->find(name),
                                                    std::move(object));
    if (!plain->cannot_pause().empty()) {
      impl_->life.messages().warning(
          "listener '" + std::string{name} +
          "': in the probation of a successor this process goes on accepting there, beside the "
          "successor: " +
          plain->cannot_pause());
    }
    impl_->life.plain_acceptors().add(plain);
    impl_->life.sockets()->attach(name, std::move(plain));
  });
}

/// For servers without Asio. `make` makes what accepts from `fd`, which is returned to its owner.
unique_fd upgrader::listen_natively(
    std::string_view name, const sockaddr* address, socklen_t length, const listen_params& params,
    const std::function<std::shared_ptr<accepting>(int, std::shared_ptr<const listening_socket>)>&
        make) {
  return impl_->in_words("cannot listen", [&] {
    const auto& sockets = impl_->life.sockets();
    const auto socket = sockets->obtain(name, {address, length}, params, {}).value();
    try {
      auto fd = duplicate(socket->fd.get());
      sockets->attach(name, make(fd.get(), socket));
      return fd;
    } catch (...) {
      drop_foreign(name);
      throw;
    }
  });
}

void upgrader::note_failure(const std::string& why) { impl_->life.note_failure(why); }

std::string upgrader::address_of(std::string_view name) const {
  const auto socket = impl_->life.sockets()->find(name);
  return socket ? socket->address.to_string() : std::string{};
}

bool upgrader::withdraw(std::string_view name) { return impl_->life.sockets()->withdraw(name); }

void upgrader::drop_foreign(std::string_view name) { impl_->life.sockets()->remove(name, nullptr); }

void upgrader::ready() { impl_->life.ready(); }

connection upgrader::track(executor_type executor, connection::stage_handler on_stage) {
  check(executor, "track a connection");
  return impl_->life.tracked().track(std::move(executor), std::move(on_stage));
}

void upgrader::drain() { impl_->life.drain(false); }

void upgrader::drain_now() { impl_->life.drain(true); }

void upgrader::handle_signals() {
  impl_->in_words("cannot take signals", [this] { impl_->life.handle_signals(); });
}

std::uint64_t upgrader::generation() const noexcept { return impl_->life.generation(); }

std::string upgrader::metrics() const { return impl_->life.metrics(); }

bool upgrader::draining() const noexcept { return impl_->life.draining(); }

void upgrader::end_control() {
  if (impl_->home.is_this()) impl_->life.end_control();
}

void upgrader::wait_commit(drain_handler handler, executor_type own) {
  impl_->life.commit_waiters().wait(std::move(handler), std::move(own));
}

void upgrader::wait_drain(drain_handler handler, executor_type own) {
  impl_->life.waiters().wait(std::move(handler), std::move(own));
}

upgrader::executor_type upgrader::get_executor() const { return impl_->life.application(); }

}  // namespace graceful
