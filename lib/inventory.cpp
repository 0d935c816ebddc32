// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "inventory.hpp"

#include "os/listening_socket.hpp"
#include "wire/fields.hpp"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

namespace graceful {

namespace {

constexpr std::size_t max_name = 255;

bool contains(const inventory::names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

result<void> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= max_name && name.front() != '@' &&
      name.find('\0') == std::string_view::npos && wire::is_text(name)) {
    return {};
  }
  return failure{errc::invalid_argument,
                 "a listener's name is UTF-8 text of 1 to 255 bytes that does not start with '@'"};
}

}  // namespace

void inventory::inherit(std::string name, unique_fd fd) {
  const std::lock_guard lock{mutex_};
  inherited_.insert_or_assign(std::move(name), std::move(fd));
}

result<std::shared_ptr<const listening_socket>> inventory::obtain(std::string_view name,
                                                                  const os::socket_address& wanted,
                                                                  const listen_params& params,
                                                                  unique_fd own) {
  if (auto checked = check_name(name); !checked) return checked.error();
  const std::string key{name};
  claimed found;
  {
    const std::lock_guard lock{mutex_};
    if (auto more = check_open_for_more(); !more) return more.error();
    // Reserves the name, so that the lock need not be held while the address is in use.
    if (!entries_.emplace(key, entry{}).second) {
      return failure{errc::invalid_argument, "there is a listener named '" + key + "' already"};
    }
    found = claim(key, wanted);
  }
  if (found.remark) found.remark();
  bool was_inherited = false;
  auto settle = [&]() -> result<std::shared_ptr<const listening_socket>> {
    int backlog_now = params.backlog;
    was_inherited = static_cast<bool>(found.fd);
    if (!found.fd) found.fd = std::move(own);
    if (found.fd) {
      const auto queue = os::check_listening_tcp(found.fd.get());
      if (!queue) {
        return failure{queue.error().code, "listener '" + key + "': " + queue.error().message};
      }
      backlog_now = static_cast<int>(queue->limit);
    } else {
      auto fresh = os::listen_tcp(wanted, params);
      if (!fresh) return fresh.error();
      found.fd = std::move(*fresh);
    }
    if (found.address.family() == AF_UNSPEC) {
      found.address = os::socket_address::bound_to(found.fd.get());
    }
    return std::make_shared<const listening_socket>(
        listening_socket{key, found.address, std::move(found.fd), params.backlog, backlog_now});
  };
  auto socket = settle();
  const std::lock_guard lock{mutex_};
  if (auto more = check_open_for_more(); socket && !more) socket = more.error();
  if (socket) {
    auto& entry = entries_[key];
    entry.socket = *socket;
    entry.inherited = was_inherited;
  } else {
    entries_.erase(key);
  }
  return socket;
}

result<void> inventory::check_open_for_more() const {
  if (state_ == state::stopped || sealed_) {
    return failure{errc::busy, "cannot listen: this process drains"};
  }
  if (frozen_) {
    return failure{errc::busy,
                   "cannot listen: the sockets are being handed to a successor; try again when the "
                   "upgrade is over"};
  }
  return {};
}

/// The inherited socket that serves as `name` at `wanted`, if there is one. The name decides among
/// several; the address has to be right in any case.
inventory::claimed inventory::claim(const std::string& name, const os::socket_address& wanted) {
  std::string elsewhere;
  if (const auto same = inherited_.find(name); same != inherited_.end()) {
    const auto bound = os::socket_address::bound_to(same->second.get());
    // What is no TCP socket at all is taken too, and reported by the check that follows.
    if (bound.satisfies(wanted) || (bound.family() != AF_INET && bound.family() != AF_INET6)) {
      claimed found{std::move(same->second), bound, {}};
      inherited_.erase(same);
      return found;
    }
    elsewhere = bound.to_string();
  }
  if (wanted.port() != 0) {
    const auto there = std::find_if(inherited_.begin(), inherited_.end(), [&](const auto& item) {
      return os::socket_address::bound_to(item.second.get()).satisfies(wanted);
    });
    if (there != inherited_.end()) {
      claimed found{std::move(there->second), {}, [this, name, wanted, old = there->first] {
                      log_.info("listener '" + name + "' adopts what was handed over as '" + old +
                                "': it is bound to " + wanted.to_string());
                    }};
      inherited_.erase(there);
      return found;
    }
  }
  if (elsewhere.empty()) return {};
  return {{}, {}, [this, name, wanted, elsewhere] {
            log_.warning("listener '" + name + "' was handed over bound to " + elsewhere +
                         ", but is to listen on " + wanted.to_string() + ": bound afresh");
          }};
}

void inventory::attach(std::string_view name, const std::shared_ptr<accepting>& user) {
  std::unique_lock lock{mutex_};
  const auto found = entries_.find(name);
  if (found == entries_.end() || state_ == state::stopped) {
    lock.unlock();
    return user->stop();
  }
  found->second.user = user;
  if (found->second.paused) {
    user->pause();
  } else if (state_ == state::open) {
    user->open();
  }
}

void inventory::remove(std::string_view name, const accepting* user) {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(name);
  if (found != entries_.end() && found->second.user.get() == user) entries_.erase(found);
}

std::shared_ptr<const listening_socket> inventory::find(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.socket;
}

std::vector<std::shared_ptr<const listening_socket>> inventory::sockets() const {
  const std::lock_guard lock{mutex_};
  return present();
}

std::vector<std::shared_ptr<const listening_socket>> inventory::freeze() {
  const std::lock_guard lock{mutex_};
  frozen_ = true;
  return present();
}

void inventory::thaw() {
  const std::lock_guard lock{mutex_};
  frozen_ = false;
}

void inventory::seal() {
  const std::lock_guard lock{mutex_};
  sealed_ = true;
  for (const auto& socket : present()) {
    // Without it a client that comes in the last moment is reset; nothing else is lost.
    (void)os::seal(socket->fd.get());
  }
}

bool inventory::queues_empty() const {
  const auto open = sockets();
  return std::ranges::all_of(
      open, [](const auto& socket) { return os::accept_queue_of(socket->fd.get()).length == 0; });
}

std::vector<std::shared_ptr<const listening_socket>> inventory::present() const {
  std::vector<std::shared_ptr<const listening_socket>> sockets;
  sockets.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (entry.socket) sockets.push_back(entry.socket);
  }
  return sockets;
}

void inventory::open() {
  std::unique_lock lock{mutex_};
  if (state_ != state::closed) return;
  state_ = state::open;
  for (const auto& [name, entry] : entries_) {
    if (!entry.socket) continue;
    const auto& socket = *entry.socket;
    // Only now, because the backlog is the predecessor's too until it has gone.
    if (socket.backlog_now != socket.backlog) ::listen(socket.fd.get(), socket.backlog);
    if (entry.user) entry.user->open();
  }
  const auto unwanted = std::exchange(inherited_, {});
  lock.unlock();
  for (const auto& [name, fd] : unwanted) {
    log_.warning("listener '" + name + "' (" + os::socket_address::bound_to(fd.get()).to_string() +
                 ") was handed over but not asked for: closed");
  }
}

inventory::names inventory::unwanted() const {
  const std::lock_guard lock{mutex_};
  names all;
  for (const auto& [name, fd] : inherited_) all.push_back(name);
  return all;
}

inventory::names inventory::own() const {
  const std::lock_guard lock{mutex_};
  names all;
  for (const auto& [name, entry] : entries_) {
    if (entry.socket && !entry.inherited) all.push_back(name);
  }
  return all;
}

void inventory::pause(const names& ours) {
  const std::lock_guard lock{mutex_};
  if (state_ != state::open) return;
  for (auto& [name, entry] : entries_) {
    if (!entry.socket || entry.paused || contains(ours, name)) continue;
    entry.paused = true;
    if (entry.user) entry.user->pause();
  }
}

void inventory::resume() {
  const std::lock_guard lock{mutex_};
  for (auto& [name, entry] : entries_) {
    if (!std::exchange(entry.paused, false)) continue;
    ::listen(entry.socket->fd.get(), entry.socket->backlog);  // the successor may have its own
    if (entry.user) entry.user->open();
  }
}

bool inventory::let_go(const names& ours) {
  std::vector<std::shared_ptr<accepting>> users;
  std::unique_lock lock{mutex_};
  inherited_.clear();
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->second.socket && contains(ours, it->first)) {
      ++it;
      continue;
    }
    users.push_back(std::move(it->second.user));
    it = entries_.erase(it);
  }
  const bool some_left = !entries_.empty();
  if (!some_left) state_ = state::stopped;
  lock.unlock();
  for (const auto& user : users) {
    if (user) user->stop();
  }
  return some_left;
}

void inventory::stop() { let_go({}); }

}  // namespace graceful
