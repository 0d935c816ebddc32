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
  unique_fd fd;
  {
    const std::lock_guard lock{mutex_};
    if (state_ == state::stopped) {
      return failure{errc::busy, "cannot listen: this process has handed over, and drains"};
    }
    // Reserves the name, so that the lock need not be held while the address is in use.
    if (!entries_.emplace(key, entry{}).second) {
      return failure{errc::invalid_argument, "there is a listener named '" + key + "' already"};
    }
    fd = claim(key, wanted);
  }
  auto settle = [&]() -> result<unique_fd> {
    if (!fd) fd = std::move(own);
    if (!fd) return os::listen_tcp(wanted, params);
    if (auto checked = os::check_listening_tcp(fd.get()); !checked) {
      return failure{checked.error().code, "listener '" + key + "': " + checked.error().message};
    }
    return std::move(fd);
  };
  auto settled = settle();
  const std::lock_guard lock{mutex_};
  if (!settled) {
    entries_.erase(key);
    return settled.error();
  }
  if (state_ == state::stopped) {
    entries_.erase(key);
    return failure{errc::busy, "cannot listen: this process has handed over, and drains"};
  }
  const int raw = settled->get();
  auto socket = std::make_shared<const listening_socket>(listening_socket{
      key, os::socket_address::bound_to(raw), std::move(*settled), params.backlog});
  entries_[key].socket = socket;
  return socket;
}

/// The inherited socket that serves as `name` at `wanted`, if there is one. The name decides among
/// several; the address has to be right in any case.
unique_fd inventory::claim(const std::string& name, const os::socket_address& wanted) {
  std::string elsewhere;
  if (const auto same = inherited_.find(name); same != inherited_.end()) {
    const auto bound = os::socket_address::bound_to(same->second.get());
    // What is no TCP socket at all is taken too, and reported by the check that follows.
    if (bound.satisfies(wanted) || (bound.family() != AF_INET && bound.family() != AF_INET6)) {
      unique_fd fd = std::move(same->second);
      inherited_.erase(same);
      return fd;
    }
    elsewhere = bound.to_string();
  }
  if (wanted.port() != 0) {
    const auto there = std::find_if(inherited_.begin(), inherited_.end(), [&](const auto& item) {
      return os::socket_address::bound_to(item.second.get()).satisfies(wanted);
    });
    if (there != inherited_.end()) {
      log_.info("listener '" + name + "' adopts what was handed over as '" + there->first +
                "': it is bound to " + wanted.to_string());
      unique_fd fd = std::move(there->second);
      inherited_.erase(there);
      return fd;
    }
  }
  if (!elsewhere.empty()) {
    log_.warning("listener '" + name + "' was handed over bound to " + elsewhere +
                 ", but is to listen on " + wanted.to_string() + ": bound afresh");
  }
  return {};
}

void inventory::attach(std::string_view name, const std::shared_ptr<accepting>& user) {
  std::unique_lock lock{mutex_};
  const auto found = entries_.find(name);
  if (found == entries_.end() || state_ == state::stopped) {
    lock.unlock();
    return user->stop();
  }
  found->second.user = user;
  if (state_ == state::open) user->open();
}

void inventory::remove(std::string_view name, const accepting* user) {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(name);
  if (found != entries_.end() && found->second.user.get() == user) entries_.erase(found);
}

std::vector<std::shared_ptr<const listening_socket>> inventory::sockets() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<const listening_socket>> sockets;
  sockets.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (entry.socket) sockets.push_back(entry.socket);
  }
  return sockets;
}

void inventory::open() {
  const std::lock_guard lock{mutex_};
  if (state_ != state::closed) return;
  state_ = state::open;
  for (const auto& [name, entry] : entries_) {
    if (!entry.socket) continue;
    const auto& socket = *entry.socket;
    // Only now, because the backlog is the predecessor's too until it has gone.
    if (os::accept_queue_of(socket.fd.get()).limit != static_cast<std::uint64_t>(socket.backlog)) {
      ::listen(socket.fd.get(), socket.backlog);
    }
    if (entry.user) entry.user->open();
  }
  for (const auto& [name, fd] : inherited_) {
    log_.warning("listener '" + name + "' (" + os::socket_address::bound_to(fd.get()).to_string() +
                 ") was handed over but not asked for: closed");
  }
  inherited_.clear();
}

void inventory::stop() {
  std::map<std::string, entry, std::less<>> entries;
  {
    const std::lock_guard lock{mutex_};
    state_ = state::stopped;
    entries.swap(entries_);
    inherited_.clear();
  }
  for (const auto& [name, entry] : entries) {
    if (entry.user) entry.user->stop();
  }
}

}  // namespace graceful
