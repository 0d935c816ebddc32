// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/roll_call.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <utility>

namespace graceful {

namespace {

/// A healthy application answers at once. If it has not answered by then, its threads may accept by
/// themselves.
constexpr std::chrono::milliseconds thread_look_interval{100};

}  // namespace

struct roll_call::roll {
  std::mutex mutex;
  std::size_t asked;
  std::size_t missing;
  asio::io_context* control;  // null: nobody waits any more
  std::function<void()> all_here;
};

void roll_call::call(std::function<void()> all_here) {
  dismiss();
  auto executors = inventory_.executors();
  if (std::ranges::find(executors, application_) == executors.end()) {
    executors.push_back(application_);
  }
  roll_ = std::make_shared<roll>();
  roll_->asked = executors.size();
  roll_->missing = executors.size();
  roll_->control = &control_;
  roll_->all_here = std::move(all_here);
  for (const auto& executor : executors) {
    asio::post(executor, [this, roll = roll_] {
      const std::lock_guard lock{roll->mutex};
      if (--roll->missing > 0 || roll->control == nullptr) return;
      // On the control thread this object is alive as long as it waits for this roll.
      asio::post(*roll->control, [this, roll] {
        if (roll->control != nullptr) conclude();
      });
    });
  }
  connections_.reset();
  look_for_accepting_threads();
}

/// Counts only where no executor answers at all. If one context runs, all of them must answer.
void roll_call::look_for_accepting_threads() {
  look_again_.expires_after(thread_look_interval);
  look_again_.async_wait([this](boost::system::error_code ec) {
    if (ec || !roll_) return;
    std::unique_lock lock{roll_->mutex};
    const bool nobody_has_answered = roll_->missing == roll_->asked;
    lock.unlock();
    if (nobody_has_answered) {
      const auto before = std::exchange(connections_, inventory_.connections());
      const bool accepts = before && !std::ranges::includes(*before, *connections_);
      // Where /proc does not tell, a blocking thread looks like a hanging one. Rolling back every
      // successor of such a server would be worse than trusting one that hangs.
      if (accepts || inventory_.somebody_blocks_in_accept() != os::answer::no) return conclude();
    }
    look_for_accepting_threads();
  });
}

void roll_call::conclude() {
  auto then = std::move(roll_->all_here);
  dismiss();
  then();
}

void roll_call::dismiss() {
  if (!roll_) return;
  {
    const std::lock_guard lock{roll_->mutex};
    roll_->control = nullptr;
    roll_->all_here = {};
  }
  roll_.reset();
  look_again_.cancel();
}

}  // namespace graceful
