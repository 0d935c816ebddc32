// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "inventory.hpp"

#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"
#include "wire/fields.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
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

void inventory::inherit(std::string name, unique_fd fd, origin from, bool kept) {
  const std::lock_guard lock{mutex_};
  if (from == origin::predecessor) provisional_ = true;
  inherited_.add(std::move(name), {std::move(fd), from, kept});
}

void inventory::on_change(std::function<void()> changed) {
  const std::lock_guard lock{mutex_};
  changed_ = std::move(changed);
}

void inventory::tell_change() const {
  if (state_ == state::open && changed_) changed_();
}

result<std::shared_ptr<const listening_socket>> inventory::obtain(std::string_view name,
                                                                  const os::socket_address& wanted,
                                                                  const listen_params& params,
                                                                  unique_fd own) {
  return obtain(name, wanted, params, std::move(own), membership::alone);
}

result<std::shared_ptr<const listening_socket>> inventory::obtain_first(
    std::string_view name, const os::socket_address& wanted, const listen_params& params) {
  return obtain(name, wanted, params, {}, membership::first);
}

result<std::shared_ptr<const listening_socket>> inventory::obtain_beside(
    const listening_socket& first, std::string_view name, const listen_params& params) {
  const bool provisional = [this] {
    const std::lock_guard lock{mutex_};
    return provisional_;
  }();
  return obtain(name, first.address, params, {},
                provisional && first.adopted ? membership::late : membership::beside);
}

result<std::shared_ptr<const listening_socket>> inventory::obtain(std::string_view name,
                                                                  const os::socket_address& wanted,
                                                                  const listen_params& params,
                                                                  unique_fd own, membership as) {
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
  auto settle = [&]() -> result<std::shared_ptr<const listening_socket>> {
    int backlog_now = params.backlog;
    const bool adopted = found.from == origin::predecessor;
    bool late = false;
    if (!found.fd) found.fd = std::move(own);
    if (found.fd) {
      const auto queue = os::check_listening_tcp(found.fd.get());
      if (!queue) {
        return failure{queue.error().code, "listener '" + key + "': " + queue.error().message};
      }
      backlog_now = static_cast<int>(queue->limit);
    } else {
      listen_params own_params = params;
      // The first of a group is bound alone: whoever else listens there is found out.
      if (as != membership::alone) own_params.reuse_port = as != membership::first;
      late = as == membership::late;
      auto fresh = late ? os::bind_tcp(wanted, own_params) : os::listen_tcp(wanted, own_params);
      if (!fresh) return fresh.error();
      found.fd = std::move(*fresh);
    }
    // It may be set at any time, and from then on others can be bound beside it.
    if (as != membership::alone) {
      if (auto shared = os::share_port(found.fd.get()); !shared) return shared.error();
    }
    if (found.address.family() == AF_UNSPEC) {
      found.address = os::socket_address::bound_to(found.fd.get());
    }
    return std::make_shared<const listening_socket>(listening_socket{
        key, found.address, std::move(found.fd), params.backlog, backlog_now, adopted, late});
  };
  struct reservation {
    ~reservation() {
      if (name == nullptr) return;
      const std::lock_guard lock{self.mutex_};
      self.entries_.erase(*name);
    }
    inventory& self;
    const std::string* name;
  } if_thrown{*this, &key};
  auto socket = settle();
  if_thrown.name = nullptr;
  if (socket && tells_origins_) {
    log_.info("listener '" + key + "' (" + (*socket)->address.to_string() + ") " +
              to_text(found.from));
  }
  const std::lock_guard lock{mutex_};
  if (auto more = check_open_for_more(); socket && !more) socket = more.error();
  if (socket) {
    entry& added = entries_[key];
    added.socket = *socket;
    added.kept = found.kept;
    added.late = added.socket->late;
    if (added.late && !provisional_ && !begin_late(added)) {  // there was a commit in between
      socket = os::system_failure("cannot listen on " + added.socket->address.to_string());
    }
  }
  if (!socket) entries_.erase(key);
  if (socket) tell_change();
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

inventory::claimed inventory::claim(const std::string& name, const os::socket_address& wanted) {
  if (claims_over_) return {};
  auto [socket, elsewhere] = inherited_.take(name, wanted);
  claimed result;
  if (socket) {
    result.fd = std::move(socket->what.fd);
    result.address = socket->address;
    result.from = socket->what.from;
    result.kept = socket->what.kept;
    if (socket->name != name) {
      result.remark = [this, name, bound = socket->address, old = socket->name] {
        log_.info("listener '" + name + "' adopts what was handed over as '" + old +
                  "': it is bound to " + bound.to_string());
      };
    }
  } else if (!elsewhere.empty()) {
    result.remark = [this, name, wanted, bound = std::move(elsewhere)] {
      log_.warning("listener '" + name + "' was handed over bound to " + bound +
                   ", but is to listen on " + wanted.to_string() + ": bound afresh");
    };
  }
  return result;
}

void inventory::attach(std::string_view name, const std::shared_ptr<accepting>& user) {
  std::unique_lock lock{mutex_};
  const auto found = entries_.find(name);
  if (found == entries_.end() || state_ == state::stopped) {
    lock.unlock();
    return user->stop();
  }
  entry& there = found->second;
  there.user = user;
  if (there.late && !provisional_) {
    if (!user->adopt(there.socket)) {
      entries_.erase(found);
      lock.unlock();
      return user->stop();
    }
    there.late = false;
  }
  if (there.paused) {
    user->pause();
  } else if (state_ == state::open) {
    user->open();
  }
}

void inventory::remove(std::string_view name, const accepting* user) {
  const std::lock_guard lock{mutex_};
  if (user != nullptr) {
    std::erase_if(entries_, [user](const auto& item) { return item.second.user.get() == user; });
  } else if (const auto found = entries_.find(name);
             found != entries_.end() && found->second.user == nullptr) {
    entries_.erase(found);
  }
  tell_change();
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
  for (const auto& [name, entry] : entries_) {
    // Without it a client that comes in the last moment is reset; nothing else is lost.
    if (is_present(entry) && !entry.kept) (void)os::seal(entry.socket->fd.get());
  }
}

void inventory::keep(const names& held) {
  const std::lock_guard lock{mutex_};
  for (const auto& name : held) {
    if (const auto found = entries_.find(name); found != entries_.end()) found->second.kept = true;
  }
}

inventory::names inventory::kept() const {
  const std::lock_guard lock{mutex_};
  names all;
  for (const auto& [name, entry] : entries_) {
    if (is_present(entry) && entry.kept) all.push_back(name);
  }
  return all;
}

void inventory::let_go_kept() {
  std::vector<entry> gone;
  std::set<std::shared_ptr<accepting>> still_needed;  // for sockets that nobody else has
  {
    const std::lock_guard lock{mutex_};
    sealed_ = true;
    std::erase_if(entries_, [&gone](const auto& item) {
      if (item.second.kept) gone.push_back(item.second);
      return item.second.kept;
    });
    for (const auto& [name, entry] : entries_) still_needed.insert(entry.user);
  }
  for (const entry& e : gone) {
    if (e.user) still_needed.contains(e.user) ? e.user->let_go(e.socket) : e.user->stop();
  }
}

void inventory::keep_none() {
  const std::lock_guard lock{mutex_};
  for (auto& [name, entry] : entries_) entry.kept = false;
}

bool inventory::is_present(const entry& e) const { return e.socket && !(e.late && provisional_); }

bool inventory::queues_empty() const {
  const auto open = sockets();
  return std::ranges::all_of(
      open, [](const auto& socket) { return os::accept_queue_of(socket->fd.get()).length == 0; });
}

std::vector<std::shared_ptr<const listening_socket>> inventory::present() const {
  std::vector<std::shared_ptr<const listening_socket>> sockets;
  sockets.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (is_present(entry)) sockets.push_back(entry.socket);
  }
  return sockets;
}

void inventory::open() {
  std::unique_lock lock{mutex_};
  if (state_ != state::closed) return;
  state_ = state::open;
  auto unwanted = inherited_.take_all();
  std::vector<std::pair<bool, std::string>> remarks;  // for the log, without the mutex
  for (auto& [name, held] : unwanted) {
    const auto what = "listener '" + name + "' (" +
                      os::socket_address::bound_to(held.fd.get()).to_string() +
                      ") was handed over but not asked for: ";
    const bool shared = share(name, held);
    remarks.emplace_back(shared,
                         what + (shared ? "who listens there accepts from it too" : "closed"));
  }
  for (const auto& [name, entry] : entries_) {
    if (!entry.socket) continue;
    const auto& socket = *entry.socket;
    // Only now, because the backlog is the predecessor's too. If that goes on, it sets its own.
    if (socket.backlog_now != socket.backlog) ::listen(socket.fd.get(), socket.backlog);
    if (entry.user) entry.user->open();
  }
  lock.unlock();
  unwanted.clear();
  for (const auto& [shared, remark] : remarks) shared ? log_.info(remark) : log_.warning(remark);
}

/// Closing one of several sockets on an address would reset what is in its queue, and those who
/// come to it: so whoever accepts there with the fewest sockets takes it too.
bool inventory::share(const std::string& name, inheritance::item& what) {
  const auto queue = os::check_listening_tcp(what.fd.get());
  const auto address = os::socket_address::bound_to(what.fd.get());
  if (!queue) return false;
  struct candidate {
    const entry* first;
    std::size_t sockets;
  };
  std::vector<candidate> there;
  for (const auto& [key, entry] : entries_) {
    if (!entry.socket || !entry.user || !entry.socket->address.satisfies(address)) continue;
    const auto known = std::ranges::find_if(
        there, [&user = entry.user](const candidate& c) { return c.first->user == user; });
    if (known == there.end()) {
      there.push_back({&entry, 1});
    } else {
      ++known->sockets;
    }
  }
  std::ranges::stable_sort(there, {}, &candidate::sockets);
  std::string key = name;
  for (int i = 0; entries_.contains(key); ++i) {
    key = std::string{group_of(name)} + '/' + std::to_string(i);
  }
  if (there.empty()) return false;
  auto socket = std::make_shared<listening_socket>(
      listening_socket{key, address, std::move(what.fd), there.front().first->socket->backlog,
                       static_cast<int>(queue->limit), what.from == origin::predecessor});
  for (const candidate& c : there) {
    if (!c.first->user->adopt(socket)) continue;
    entries_.emplace(key, entry{.socket = socket, .user = c.first->user, .kept = what.kept});
    return true;
  }
  what.fd = std::move(socket->fd);
  return false;
}

void inventory::commit() {
  std::vector<std::string> failures;
  {
    const std::lock_guard lock{mutex_};
    if (!std::exchange(provisional_, false)) return;
    for (auto item = entries_.begin(); item != entries_.end();) {
      auto& [name, entry] = *item++;
      if (!entry.late || begin_late(entry)) continue;
      failures.push_back(os::system_failure("listener '" + name + "': cannot listen on " +
                                            entry.socket->address.to_string())
                             .message);
      if (entry.user) entry.user->stop();
      entries_.erase(std::prev(item));
    }
  }
  for (const auto& failure : failures) {
    log_.warning(failure + "; the others on this address serve all the same");
  }
}

/// Of what was bound only. Sets errno where it fails.
bool inventory::begin_late(entry& late) {
  if (::listen(late.socket->fd.get(), late.socket->backlog) != 0) return false;
  if (late.user) late.late = !late.user->adopt(late.socket);
  return !late.user || !late.late;
}

inventory::names inventory::unwanted() {
  const std::lock_guard lock{mutex_};
  // The predecessor ends these gently: whoever claimed one now would have it ended under his feet.
  claims_over_ = true;
  names all;
  for (const auto& [name, held] : inherited_.all()) {
    if (held.from != origin::predecessor) continue;
    const auto address = os::socket_address::bound_to(held.fd.get());
    const bool shared = std::ranges::any_of(entries_, [&](const auto& item) {
      const auto& [key, entry] = item;
      return entry.socket && entry.user && entry.socket->address.satisfies(address);
    });
    if (!shared) all.push_back(name);
  }
  return all;
}

inventory::names inventory::own() const {
  const std::lock_guard lock{mutex_};
  names all;
  for (const auto& [name, entry] : entries_) {
    if (entry.socket && !entry.socket->adopted) all.push_back(name);
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
  (void)inherited_.take_all();
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
