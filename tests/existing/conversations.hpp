// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "traffic.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace graceful_existing {

/// A connection of one client. Throws if anything fails or takes too long.
class conversation {
 public:
  conversation() = default;
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  virtual ~conversation() = default;

  /// Makes a request and reads its reply. `last`: no other follows.
  virtual void exchange(bool last) = 0;
};

/// Clients with one thread each, which alternate requests and pauses.
class conversations final : public traffic {
 public:
  using opener = std::function<std::unique_ptr<conversation>()>;

  conversations(opener open, connections how);
  ~conversations() override;

  bool wait_for(std::uint64_t further, graceful::testing::deadline until) override;
  totals stop() override;

 private:
  void work();
  void converse(std::unique_ptr<conversation>& with);

  const opener open_;
  const connections how_;
  std::mutex mutex_;
  std::condition_variable progress_, stopping_;
  totals totals_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;  // declared last, so that it is destroyed first
};

}  // namespace graceful_existing
