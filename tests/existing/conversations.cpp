// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "conversations.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace graceful_existing {
namespace {

constexpr std::chrono::milliseconds pause{10};

}  // namespace

conversations::conversations(opener open, connections how) : open_{std::move(open)}, how_{how} {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { work(); });
}

conversations::~conversations() { stop(); }

void conversations::work() {
  std::unique_ptr<conversation> kept;
  std::unique_lock lock{mutex_};
  while (!stopped_) {
    lock.unlock();
    std::string why;
    try {
      converse(kept);
    } catch (const std::exception& e) {
      kept.reset();
      why = e.what();
    }
    lock.lock();
    if (why.empty()) {
      ++totals_.ok;
    } else if (totals_.lost++ == 0) {
      totals_.first_loss = why;
    }
    progress_.notify_all();
    stopping_.wait_for(lock, pause, [this] { return stopped_; });
  }
}

void conversations::converse(std::unique_ptr<conversation>& with) {
  if (!with) with = open_();
  with->exchange(how_ == connections::one_each);
  if (how_ == connections::one_each) with.reset();
}

bool conversations::wait_for(std::uint64_t further, graceful::testing::deadline until) {
  std::unique_lock lock{mutex_};
  const auto wanted = totals_.ok + further;
  const auto lost = totals_.lost;
  progress_.wait_until(lock, until.when(),
                       [&] { return totals_.ok >= wanted || totals_.lost > lost; });
  return totals_.ok >= wanted;
}

totals conversations::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  stopping_.notify_all();
  threads_.clear();
  return totals_;
}

}  // namespace graceful_existing
