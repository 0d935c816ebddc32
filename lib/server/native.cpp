// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/native.hpp>
#include <graceful/upgrader.hpp>

#include "listen/native_listener.hpp"
#include "os/blocked_signals.hpp"
#include "os/home_process.hpp"
#include "server/posting_executor.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

namespace graceful::native {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

failure no_address(std::string_view text) {
  return {errc::invalid_argument,
          "cannot listen on '" + std::string{text} +
              "': that is no address; write 127.0.0.1:8080, 0.0.0.0:8080 for "
              "every IPv4 interface, or [::]:8080"};
}

result<tcp::endpoint> parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return no_address(text);
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.starts_with('[') != host.ends_with(']')) return no_address(text);
  const bool bracketed = host.starts_with('[');
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  boost::system::error_code ec;
  const auto ip = asio::ip::make_address(host, ec);
  if (error != std::errc{} || end != digits.data() + digits.size() || ec ||
      ip.is_v6() != bracketed) {
    return no_address(text);
  }
  return tcp::endpoint{ip, port};
}

/// None if `f` returns.
template <class F>
std::optional<std::string> why_failed(F&& f) {
  try {
    f();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "it has thrown something that is no std::exception";
  }
}

}  // namespace

/// What a connection is told. Its release waits for a call that runs, except from within that call.
class stage_calls {
 public:
  explicit stage_calls(std::function<void(drain_stage)> on_stage)
      : on_stage_{std::move(on_stage)} {}

  void tell(drain_stage stage, log& messages) {
    const std::lock_guard lock{mutex_};
    if (!on_stage_) return;
    const auto on_stage = on_stage_;  // it may release the connection
    if (const auto why = why_failed([&] { on_stage(stage); })) {
      messages.error("the application's on_stage has failed: " + *why);
    }
  }

  void release() {
    const std::lock_guard lock{mutex_};
    on_stage_ = nullptr;
  }

 private:
  std::recursive_mutex mutex_;
  std::function<void(drain_stage)> on_stage_;
};

/// Used on the library's thread only, to which other threads post.
struct tracked_natively {
  graceful::connection token;
  asio::any_io_executor work;  // the upgrader waits for this connection
};

struct connection::impl {
  impl(std::shared_ptr<native_home> at, std::shared_ptr<stage_calls> told,
       tracked_natively connection)
      : home{std::move(at)},
        calls{std::move(told)},
        body{std::make_shared<tracked_natively>(std::move(connection))} {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() {
    if (process.is_this()) {
      calls->release();
      asio::post(home->io, [body = std::move(body)] { *body = {}; });
    } else {
      os::leave_alone(std::make_unique<decltype(body)>(body));
    }
  }

  const os::home_process process;
  std::shared_ptr<native_home> home;
  std::shared_ptr<stage_calls> calls;
  std::shared_ptr<tracked_natively> body;
};

connection::connection() noexcept = default;
connection::connection(std::unique_ptr<impl> body) noexcept : impl_{std::move(body)} {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;
connection::~connection() = default;

void connection::idle(bool is_idle) {
  if (!impl_ || !impl_->process.is_this()) return;
  asio::post(impl_->home->io, [body = impl_->body, is_idle] { body->token.idle(is_idle); });
}

bool connection::draining() const noexcept { return impl_ && impl_->body->token.draining(); }

/// What tasks on the application's loop, and the library's thread, refer to: they may run when the
/// upgrader has gone.
class calls {
 public:
  calls(std::shared_ptr<native_home> home, hooks application)
      : home_{std::move(home)}, hooks_{std::move(application)} {}

  void drain() { call("on_drain", hooks_.on_drain); }
  void commit() { call("on_commit", hooks_.on_commit); }
  void end() { call("on_end", hooks_.on_end); }

  /// What to do if the application cannot accept. It only posts.
  void set_drain(std::function<void()> drain) { begin_drain_ = std::move(drain); }
  void cannot_accept() {
    const std::lock_guard lock{mutex_};
    if (begin_drain_) begin_drain_();
  }

  /// Calls nothing any more.
  void forget() {
    forgotten_ = true;
    const std::lock_guard lock{mutex_};
    begin_drain_ = nullptr;
  }
  [[nodiscard]] bool forgotten() const { return forgotten_; }

  void wait_end() {
    std::unique_lock lock{mutex_};
    ended_changed_.wait(lock, [this] { return ended_; });
  }
  void set_ended() {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    ended_changed_.notify_all();
  }

 private:
  void call(const char* name, const std::function<void()>& hook) {
    if (forgotten_ || !hook) return;
    if (const auto why = why_failed(hook)) {
      home_->messages.error(std::string{"the application's "} + name + " has failed: " + *why);
    }
  }

  const std::shared_ptr<native_home> home_;
  const hooks hooks_;
  std::atomic<bool> forgotten_{false};
  std::mutex mutex_;
  std::function<void()> begin_drain_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
};

/// Ends when there is nothing left to wait for: the upgrader has released its work, and each
/// connection its own.
void run(const std::shared_ptr<native_home>& home, const asio::any_io_executor& application,
         const std::shared_ptr<calls>& to_call) {
  ::pthread_setname_np(::pthread_self(), "graceful-native");
  for (bool more = true; more;) {
    try {
      home->io.run();
      more = false;
    } catch (const std::exception& e) {
      home->messages.error(std::string{"cannot tell the application: "} + e.what());
    }
  }
  home->io.restart();                         // connections may still post to it
  if (to_call->forgotten()) home->io.poll();  // what is left refers to what holds it
  if (application.target<posting_executor>() != nullptr) {
    asio::post(application, [to_call] { to_call->end(); });
  } else {
    to_call->end();
  }
  to_call->set_ended();
}

/// Its thread runs what does not wait for the application.
class upgrader::impl {
 public:
  impl(options opts, hooks application);
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl();

  unique_fd listen(std::string_view name, std::string_view address, listener_hooks what,
                   const listen_params& params);
  connection track(std::function<void(drain_stage)> on_stage);
  void wait_end() { calls_->wait_end(); }

  [[nodiscard]] graceful::upgrader& up() { return *up_; }
  [[nodiscard]] bool at_home() const { return process_.is_this(); }

 private:
  const os::home_process process_;
  const std::shared_ptr<native_home> home_;
  const asio::any_io_executor application_;
  const std::shared_ptr<calls> calls_;
  std::optional<graceful::upgrader> up_;

  std::mutex mutex_;
  std::vector<std::weak_ptr<native_listener>> listeners_;
  std::thread thread_;
};

upgrader::impl::impl(options opts, hooks application)
    : home_{std::make_shared<native_home>(opts)},
      application_{application.post
                       ? asio::any_io_executor{posting_executor{home_, application.post}}
                       : asio::any_io_executor{home_->io.get_executor()}},
      calls_{std::make_shared<calls>(home_, std::move(application))} {
  up_.emplace(home_->io, std::move(opts));
  up_->async_wait_drain(asio::bind_executor(application_, [calls = calls_](error_code ec) {
    if (!ec) calls->drain();
  }));
  up_->async_wait_commit(asio::bind_executor(application_, [calls = calls_](error_code ec) {
    if (!ec) calls->commit();
  }));
  calls_->set_drain([this] { up_->drain(); });
  const os::blocked_signals while_made;
  thread_ = std::thread{[home = home_, application = application_, calls = calls_] {
    run(home, application, calls);
  }};
}

upgrader::impl::~impl() {
  calls_->forget();
  {
    const std::lock_guard lock{mutex_};
    for (const auto& each : listeners_) {
      if (const auto listener = each.lock()) listener->abandon();
    }
  }
  home_->io.stop();
  // A hook without a loop of its own runs on that thread, and may destroy the upgrader.
  const bool own_thread = thread_.get_id() == std::this_thread::get_id();
  own_thread ? thread_.detach() : thread_.join();
  up_.reset();
  if (own_thread) return;
  home_->io.restart();
  home_->io.poll();  // what is left refers to what holds it
}

unique_fd upgrader::impl::listen(std::string_view name, std::string_view address,
                                 listener_hooks what, const listen_params& params) {
  const auto endpoint = parse(address);
  if (!what.on_pause != !what.on_resume) {
    throw error{{errc::invalid_argument, "listener '" + std::string{name} +
                                             "' has one of on_pause and on_resume: give both, or "
                                             "none"}};
  }
  if (!endpoint) {
    up_->note_failure(endpoint.error().message);
    throw error{endpoint.error()};
  }
  return up_->listen_natively(
      name, endpoint->data(), static_cast<socklen_t>(endpoint->size()), params,
      [&](int fd, std::shared_ptr<const listening_socket> socket) -> std::shared_ptr<accepting> {
        auto listener = std::make_shared<native_listener>(
            home_->io.get_executor(), application_, fd, std::move(socket), std::move(what),
            native_listener::callbacks{[calls = calls_] { calls->cannot_accept(); }},
            home_->messages);
        const std::lock_guard lock{mutex_};
        std::erase_if(listeners_, [](const auto& each) { return each.expired(); });
        listeners_.push_back(listener);
        return listener;
      });
}

connection upgrader::impl::track(std::function<void(drain_stage)> on_stage) {
  auto told = std::make_shared<stage_calls>(std::move(on_stage));
  const auto executor = home_->io.get_executor();
  auto token = up_->track(
      executor, [home = std::weak_ptr{home_}, application = application_, told](drain_stage stage) {
        asio::post(application, [home, told, stage] {
          if (const auto at = home.lock()) told->tell(stage, at->messages);
        });
      });
  return connection{std::make_unique<connection::impl>(
      home_, std::move(told),
      tracked_natively{std::move(token),
                       asio::prefer(executor, asio::execution::outstanding_work.tracked)})};
}

upgrader::upgrader(detail::this_native_abi /*abi*/, options opts, hooks application)
    : impl_{std::make_unique<impl>(with_safe_log(std::move(opts)), std::move(application))} {}

/// Ends nothing in a child of fork(2), as graceful::upgrader.
upgrader::~upgrader() {
  if (!impl_->at_home()) os::leave_alone(std::move(impl_));
}

unique_fd upgrader::listen(std::string_view name, std::string_view address, listener_hooks what,
                           const listen_params& params) {
  return impl_->listen(name, address, std::move(what), params);
}

std::string upgrader::address(std::string_view name) const { return impl_->up().address_of(name); }

bool upgrader::withdraw(std::string_view name) { return impl_->up().withdraw(name); }

void upgrader::ready() { impl_->up().ready(); }

connection upgrader::track(std::function<void(drain_stage)> on_stage) {
  return impl_->track(std::move(on_stage));
}

void upgrader::drain() { impl_->up().drain(); }
void upgrader::drain_now() { impl_->up().drain_now(); }
void upgrader::handle_signals() { impl_->up().handle_signals(); }
void upgrader::wait_end() { impl_->wait_end(); }
std::uint64_t upgrader::generation() const noexcept { return impl_->up().generation(); }
bool upgrader::draining() const noexcept { return impl_->up().draining(); }
std::string upgrader::metrics() const { return impl_->up().metrics(); }

}  // namespace graceful::native
