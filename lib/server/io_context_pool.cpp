// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/error.hpp>
#include <graceful/io_context_pool.hpp>

#include "os/blocked_signals.hpp"
#include "os/home_process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include <pthread.h>
#include <sched.h>

namespace graceful {

namespace asio = boost::asio;

namespace {

/// hardware_concurrency() counts the processors of the machine, whatever a container or taskset(1)
/// allows.
std::size_t processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);  // there are more than fit
                                                                         // into the set
}

}  // namespace

class io_context_pool::impl {
 public:
  explicit impl(std::size_t size) : contexts(size) {
    guards_.reserve(size);
    for (auto& context : contexts) guards_.emplace_back(context.get_executor());
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { destroy_handlers(); }

  /// May be called again, for handlers that were added meanwhile.
  void destroy_handlers() {
    guards_.clear();
    for (auto& context : contexts) context.shutdown();
  }

  void run() {
    auto others = std::make_unique<std::vector<std::jthread>>();
    try {
      const os::blocked_signals while_made;
      for (std::size_t i = 1; i < contexts.size(); ++i) {
        others->emplace_back([this, i] { run(contexts[i]); });
      }
    } catch (...) {
      fail();
    }
    run(contexts.front());
    if (!home.is_this()) {
      // A handler has forked, and its exception arrives here in the child, which has none of the
      // threads.
      os::leave_alone(std::move(others));
      if (failure_) std::rethrow_exception(failure_);
      return;
    }
    others.reset();
    const std::lock_guard lock{mutex_};
    if (failure_) std::rethrow_exception(failure_);
  }

  void stop() {
    for (auto& context : contexts) context.stop();
  }
  void reset_work() {
    const std::lock_guard lock{mutex_};
    for (auto& guard : guards_) guard.reset();
  }

  /// One thread runs it, so it may queue without waking another. Other threads may still post.
  struct context : asio::io_context {
    context() : io_context{1} {}
    /// Destroys the remaining handlers; the objects that they own may still use its services.
    using execution_context::shutdown;
  };

  const os::home_process home;
  std::deque<context> contexts;
  std::atomic<std::size_t> turn{0};

 private:
  /// An exception that leaves a thread would end the process by std::terminate.
  void run(context& one) noexcept {
    try {
      one.run();
    } catch (...) {
      fail();
    }
  }

  void fail() {
    if (!home.is_this()) {
      failure_ = std::current_exception();  // another thread may have held any mutex at the fork
      return;
    }
    {
      const std::lock_guard lock{mutex_};
      if (!failure_) failure_ = std::current_exception();
    }
    stop();
  }

  std::mutex mutex_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::exception_ptr failure_;  // the first failure
};

io_context_pool::io_context_pool(detail::this_asio_abi abi) : io_context_pool{abi, processors()} {}

io_context_pool::io_context_pool(detail::this_asio_abi /*abi*/, std::size_t contexts) {
  if (contexts == 0) {
    throw error{
        {errc::invalid_argument,
         "a pool of 0 io_contexts can run nothing: give it at least 1, or no number for one "
         "a processor"}};
  }
  impl_ = std::make_unique<impl>(contexts);
}

/// Ends nothing in a child of fork(2): it would wait for threads that only the parent has.
io_context_pool::~io_context_pool() {
  if (!impl_->home.is_this()) os::leave_alone(std::move(impl_));
}

std::size_t io_context_pool::size() const noexcept { return impl_->contexts.size(); }

io_context_pool::executor_type io_context_pool::next() noexcept {
  return impl_->contexts[impl_->turn++ % size()].get_executor();
}

io_context_pool::executor_type io_context_pool::get_executor() const noexcept {
  return impl_->contexts.front().get_executor();
}

io_context_pool::operator asio::io_context&() noexcept { return impl_->contexts.front(); }

std::vector<io_context_pool::executor_type> io_context_pool::executors() const {
  std::vector<executor_type> all;
  for (auto& context : impl_->contexts) all.emplace_back(context.get_executor());
  return all;
}

void io_context_pool::run() { impl_->run(); }

void io_context_pool::stop() { impl_->stop(); }

void io_context_pool::destroy_handlers() {
  if (impl_->home.is_this()) impl_->destroy_handlers();
}

void io_context_pool::reset_work() { impl_->reset_work(); }

}  // namespace graceful
