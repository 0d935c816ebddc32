// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/inventory.hpp"

#include "os/listening_socket.hpp"
#include "os/open_files.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <sys/socket.h>

namespace graceful {

void inventory::on_change(std::function<void()> changed) {
  const std::lock_guard lock{mutex_};
  changed_ = std::move(changed);
}

void inventory::tell_change() const {
  if (state_ == state::open && changed_) changed_();
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
  tell_change();
}

void inventory::remove(std::string_view name, const accepting* user) {
  const std::lock_guard lock{mutex_};
  std::erase_if(entries_, [name, user](const auto& item) {
    return item.second.user.get() == user && (user != nullptr || item.first == name);
  });
  tell_change();
}

/// Gives the entries that are meant to the caller, which stops their users without the mutex.
std::vector<inventory::entry> inventory::take_out(const condition& meant) {
  std::vector<entry> taken;
  std::erase_if(entries_, [&](const auto& item) {
    const bool goes = meant(item.second);
    if (goes) taken.push_back(item.second);
    return goes;
  });
  return taken;
}

void inventory::withdraw_closed() {
  std::vector<entry> gone;
  {
    const std::lock_guard lock{mutex_};
    if (frozen_ || state_ != state::open) return;
    gone = take_out([](const entry& e) { return e.socket && e.user && e.user->gone(); });
    if (!gone.empty()) tell_change();
  }
  for (const entry& e : gone) {
    e.user->stop();
    log_.info("listener '" + e.socket->name +
              "' is withdrawn: the application has closed its acceptor");
  }
}

bool inventory::withdraw(std::string_view name) {
  entry gone;
  {
    const std::lock_guard lock{mutex_};
    const auto found = entries_.find(name);
    if (frozen_ || found == entries_.end() || !found->second.socket) return false;
    gone = std::move(found->second);
    entries_.erase(found);
    tell_change();
  }
  if (gone.user) gone.user->withdraw();
  return true;
}

shared_socket inventory::find(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.socket;
}

std::vector<shared_socket> inventory::sockets() const {
  const std::lock_guard lock{mutex_};
  return present();
}

std::vector<shared_socket> inventory::freeze() {
  const std::lock_guard lock{mutex_};
  frozen_ = true;
  return present();
}

void inventory::thaw() {
  const std::lock_guard lock{mutex_};
  frozen_ = false;
}

std::vector<std::string> inventory::seal() {
  const std::lock_guard lock{mutex_};
  sealed_ = true;
  std::vector<std::string> refused;
  for (const auto& [name, entry] : entries_) {
    if (!is_present(entry) || entry.kept) continue;
    const auto sealed = os::seal(entry.socket->fd.get());
    if (!sealed)
      refused.push_back(entry.socket->address.to_string() + ": " + sealed.error().message);
  }
  return refused;
}

void inventory::keep(const names& held) {
  const std::lock_guard lock{mutex_};
  for (const auto& name : held) {
    if (const auto found = entries_.find(name); found != entries_.end()) found->second.kept = true;
  }
}

void inventory::keep_none() {
  const std::lock_guard lock{mutex_};
  for (auto& [name, entry] : entries_) entry.kept = false;
}

inventory::names inventory::kept() const {
  return names_of([this](const entry& e) { return is_present(e) && e.kept; });
}

inventory::names inventory::own() const {
  return names_of([](const entry& e) { return e.socket && !e.socket->adopted; });
}

inventory::names inventory::names_of(const condition& meant) const {
  const std::lock_guard lock{mutex_};
  names all;
  for (const auto& [name, entry] : entries_) {
    if (meant(entry)) all.push_back(name);
  }
  return all;
}

void inventory::let_go_kept() {
  stop_those([](const entry& e) { return e.kept; });
}

void inventory::leave_to_others(const std::set<pid_t>& but) {
  std::map<int, std::string> names;
  std::set<int> sockets;
  {
    const std::lock_guard lock{mutex_};
    sealed_ = true;
    for (const auto& [name, entry] : entries_) {
      // No other process has a socket that this one has bound itself: see os::kept_from_children.
      if (!is_present(entry) || entry.kept || entry.socket->bound_here) continue;
      names.emplace(entry.socket->fd.get(), name);
      sockets.insert(entry.socket->fd.get());
    }
  }
  const auto theirs = os::held_by_others(sockets, but);
  stop_those([&](const entry& e) { return e.socket && theirs.contains(e.socket->fd.get()); });
  for (const int fd : theirs) {
    log_.info(
        "listener '" + names[fd] +
        "': other processes have this socket too, so what waits in its queue is left to them");
  }
}

void inventory::stop_those(const condition& meant) {
  std::vector<entry> gone;
  std::set<std::shared_ptr<accepting>> still_needed;  // their sockets are held by no other process
  {
    const std::lock_guard lock{mutex_};
    sealed_ = true;
    gone = take_out(meant);
    for (const auto& [name, entry] : entries_) still_needed.insert(entry.user);
  }
  for (const entry& e : gone) {
    if (e.user) still_needed.contains(e.user) ? e.user->let_go(e.socket) : e.user->stop();
  }
}

bool inventory::is_present(const entry& e) const { return e.socket && !(e.late && provisional_); }

std::vector<shared_socket> inventory::present() const {
  std::vector<shared_socket> sockets;
  sockets.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (is_present(entry)) sockets.push_back(entry.socket);
  }
  return sockets;
}

/// Counts the queues of kept sockets too: if a successor does not want one, the manager was told to
/// drop it, and no other process serves its clients.
std::uint64_t inventory::queued() const {
  std::uint64_t waiting = 0;
  for (const auto& socket : sockets()) waiting += os::accept_queue_of(socket->fd.get()).length;
  return waiting;
}

bool inventory::somebody_waits() const {
  const std::lock_guard lock{mutex_};
  return std::ranges::any_of(entries_, [this](const auto& item) {
    const auto& e = item.second;
    return is_present(e) && e.user != nullptr && e.user->waits() &&
           os::accept_queue_of(e.socket->fd.get()).length > 0;
  });
}

void inventory::open() {
  std::unique_lock lock{mutex_};
  if (state_ != state::closed) return;
  state_ = state::open;
  auto unwanted = inherited_.take_all();
  std::vector<std::pair<bool, std::string>> remarks;  // logged after the mutex is released
  for (auto& [name, held] : unwanted) {
    const auto what = "listener '" + name + "' (" +
                      os::socket_address::bound_to(held.fd.get()).to_string() +
                      ") was handed over but not asked for: ";
    if (share(name, held)) {
      remarks.emplace_back(true, what + "the listener on that address accepts from it too");
    } else if (held.from != origin::predecessor || keeps_unclaimed_) {
      const auto* until = held.from == origin::predecessor ? "until the commit" : "for now";
      remarks.emplace_back(
          false, what + "it is kept " + until + ", in case the application listens there later");
      inherited_.add(name, std::move(held));
    } else {
      remarks.emplace_back(false, what + "it is closed");
      note_dropped(name, held);
    }
  }
  for (const auto& [name, entry] : entries_) {
    if (!entry.socket) continue;
    const auto& socket = *entry.socket;
    // Not earlier, because the backlog is the predecessor's too. If that resumes, it sets its own.
    if (socket.backlog_now != socket.backlog) ::listen(socket.fd.get(), socket.backlog);
    if (entry.user) entry.user->open();
  }
  lock.unlock();
  unwanted.clear();
  for (const auto& [shared, remark] : remarks) shared ? log_.info(remark) : log_.warning(remark);
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

/// Listens on a socket that was only bound. Sets errno on failure.
bool inventory::begin_late(entry& late) {
  if (::listen(late.socket->fd.get(), late.socket->backlog) != 0) return false;
  if (late.user) late.late = !late.user->adopt(late.socket);
  return !late.user || !late.late;
}

void inventory::note_dropped(const std::string& name, const inheritance::item& what) {
  dropped_.emplace_back(name, os::socket_address::bound_to(what.fd.get()).to_string());
}

inventory::names inventory::settle_claims() {
  inheritance::items closed;
  names all;
  {
    const std::lock_guard lock{mutex_};
    claims_over_ = true;
    closed = inherited_.take_all();
    for (const auto& [name, held] : closed) {
      if (held.from == origin::predecessor) note_dropped(name, held);
    }
    for (const auto& [name, address] : dropped_) all.push_back(name);
  }
  for (const auto& [name, held] : closed) {
    log_.warning("listener '" + name + "' (" +
                 os::socket_address::bound_to(held.fd.get()).to_string() +
                 ") is dropped: this build does not listen on it");
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> inventory::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

bool inventory::listens() const {
  return !names_of([](const entry& e) { return e.socket && e.user; }).empty();
}

os::answer inventory::somebody_blocks_in_accept() const {
  const std::lock_guard lock{mutex_};
  auto all = os::answer::no;
  for (const auto& [name, entry] : entries_) {
    const auto here = entry.user ? entry.user->somebody_blocks() : os::answer::no;
    if (here == os::answer::yes) return here;
    if (here == os::answer::unknown) all = here;
  }
  return all;
}

std::set<std::uint64_t> inventory::connections() const {
  std::unique_lock lock{mutex_};
  const auto ports = ports_;
  lock.unlock();
  return os::connections_on(ports);
}

std::vector<asio::any_io_executor> inventory::executors() const {
  const std::lock_guard lock{mutex_};
  std::vector<asio::any_io_executor> all;
  for (const auto& [name, entry] : entries_) {
    const auto executor = entry.user ? entry.user->executor() : asio::any_io_executor{};
    if (executor && std::ranges::find(all, executor) == all.end()) all.push_back(executor);
  }
  return all;
}

void inventory::pause(const names& ours) {
  const std::lock_guard lock{mutex_};
  if (state_ != state::open) return;
  for (auto& [name, entry] : entries_) {
    if (!entry.socket || entry.paused || std::ranges::count(ours, name) > 0) continue;
    entry.paused = true;
    if (entry.user) entry.user->pause();
  }
}

void inventory::resume() {
  const std::lock_guard lock{mutex_};
  for (auto& [name, entry] : entries_) {
    if (!std::exchange(entry.paused, false)) continue;
    ::listen(entry.socket->fd.get(), entry.socket->backlog);  // the successor may have set its own
    if (entry.user) entry.user->open();
  }
}

bool inventory::let_go(const names& ours) {
  std::unique_lock lock{mutex_};
  (void)inherited_.take_all();
  const auto gone = take_out([&ours](const entry& e) {
    return !e.socket || std::ranges::count(ours, e.socket->name) == 0;
  });
  const bool some_left = !entries_.empty();
  if (!some_left) state_ = state::stopped;
  lock.unlock();
  for (const entry& e : gone) {
    if (e.user) e.user->stop();
  }
  return some_left;
}

}  // namespace graceful
