// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Where what a process listens on comes from: it was inherited, is the caller's own, or is bound
// afresh; and who gets what was inherited and not asked for.
#include "listen/inventory.hpp"
#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <sys/socket.h>

namespace graceful {

namespace {

constexpr std::size_t max_name = 255;

result<void> check_name(std::string_view name) {
  if (!name.empty() && name.size() <= max_name && name.front() != '@' &&
      name.find('\0') == std::string_view::npos && is_text(name)) {
    return {};
  }
  return failure{errc::invalid_argument,
                 "a listener's name is UTF-8 text of 1 to 255 bytes that does not start with '@'"};
}

/// Prepares the caller's own socket, in whatever state open, bind and listen have left it.
result<unique_fd> fit(const std::string& name, unique_fd own, const os::socket_address& wanted,
                      const listen_params& params) {
  const auto bound = os::socket_address::bound_to(own.get());
  const bool internet = bound.family() == AF_INET || bound.family() == AF_INET6;
  // It was only opened: a new socket takes its place.
  if (internet && bound.port() == 0) return unique_fd{};
  if (internet && !bound.satisfies(wanted)) {
    return failure{errc::invalid_argument,
                   "listener '" + name + "': the acceptor is bound to " + bound.to_string() +
                       " already, and is to listen on " + wanted.to_string() +
                       "; close it first, or name the address that it has"};
  }
  if (internet && !os::check_listening_tcp(own.get()) && ::listen(own.get(), params.backlog) != 0) {
    return os::system_failure("listener '" + name + "': cannot listen on " + bound.to_string());
  }
  return own;
}

}  // namespace

void inventory::inherit(std::string name, unique_fd fd, origin from, bool kept) {
  const std::lock_guard lock{mutex_};
  if (from == origin::predecessor) provisional_ = true;
  inherited_.add(std::move(name), {std::move(fd), from, kept});
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
    bool bound_here = false;
    if (found.fd) {
      if (auto right = check_claimed(key, found, params); !right) return right.error();
    } else if (own) {
      auto fitting = fit(key, std::move(own), wanted, params);
      if (!fitting) return fitting.error();
      found.fd = std::move(*fitting);
    }
    if (found.fd) {
      const auto queue = os::check_listening_tcp(found.fd.get());
      if (!queue) {
        return failure{queue.error().code, "listener '" + key + "': " + queue.error().message};
      }
      backlog_now = static_cast<int>(queue->limit);
    } else {
      listen_params own_params = params;
      // The first socket of a group is bound alone, so that another listener on the address is
      // noticed.
      if (as != membership::alone) own_params.reuse_port = as != membership::first;
      late = as == membership::late;
      auto fresh = late ? os::bind_tcp(wanted, own_params) : os::listen_tcp(wanted, own_params);
      if (!fresh) {
        auto why = fresh.error();
        if (why.code == os::system_code(EADDRINUSE)) why.message += who_has(wanted);
        return why;
      }
      found.fd = std::move(*fresh);
      bound_here = true;
    }
    // The option may be set at any time; from then on others can be bound beside the socket.
    if (as != membership::alone || (found.from && params.reuse_port)) {
      if (auto shared = os::share_port(found.fd.get()); !shared) return shared.error();
    }
    if (found.address.family() == AF_UNSPEC) {
      found.address = os::socket_address::bound_to(found.fd.get());
    }
    return std::make_shared<const listening_socket>(
        listening_socket{key, found.address, std::move(found.fd), params.backlog, backlog_now,
                         adopted, late, bound_here});
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
    ports_.insert(added.socket->address.port());
    added.kept = found.kept;
    added.late = added.socket->late;
    if (added.late && !provisional_ && !begin_late(added)) {  // a commit has happened meanwhile
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
  auto [socket, elsewhere] = inherited_.take(name, wanted, !claims_over_);
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
                   ", but is to listen on " + wanted.to_string() + ": bound again");
    };
  }
  return result;
}

/// Some properties of a bound socket cannot be changed. It is better to fail before ready(), which
/// costs nothing, than to serve half of the clients.
result<void> inventory::check_claimed(const std::string& name, const claimed& found,
                                      const listen_params& params) {
  const auto bound = os::socket_address::bound_to(found.fd.get());
  const bool any_v6 = bound.family() == AF_INET6 && bound.is_any();
  const bool asked = params.v6only.value_or(os::system_v6only());
  if (any_v6 && os::is_v6only(found.fd.get()) != asked) {
    return failure{
        errc::wrong_socket,
        "listener '" + name + "' (" + bound.to_string() + ") was handed over " +
            (asked ? "for IPv6 and IPv4, and is to be for IPv6 only"
                   : "for IPv6 only, and is to be for IPv4 too") +
            ", which cannot be changed on a bound socket: ask for listen_params::v6only = " +
            (asked ? "false" : "true") + ", or stop the server and start it again"};
  }
  if (const auto device = os::bound_device(found.fd.get()); !device.empty()) {
    log_.info("listener '" + name + "' (" + bound.to_string() + ") is bound to the device " +
              device + ", as it was handed over");
  }
  return {};
}

/// What prevents a bind to `wanted`, as far as this process knows. Completes an error message.
std::string inventory::who_has(const os::socket_address& wanted) const {
  const std::lock_guard lock{mutex_};
  for (const auto& [name, entry] : entries_) {
    if (!entry.socket || entry.socket->address.port() != wanted.port()) continue;
    const auto& there = entry.socket->address;
    const bool takes_ipv4 = there.family() == AF_INET6 && there.is_any() &&
                            wanted.family() == AF_INET && !os::is_v6only(entry.socket->fd.get());
    if (takes_ipv4) {
      return "; this process listens there already: '" + name + "' (" + there.to_string() +
             ") takes IPv4 too, unless listen_params::v6only is true";
    }
    if (there.satisfies(wanted)) {
      return "; this process listens there already, as '" + name + "'";
    }
  }
  for (const auto& [name, held] : inherited_.all()) {
    const auto there = os::socket_address::bound_to(held.fd.get());
    if (there.port() == wanted.port()) {
      return "; the predecessor listens there: it handed over '" + name + "' (" +
             there.to_string() + "), which is not the address that is asked for";
    }
  }
  for (const auto& [name, address] : dropped_) {
    if (address == wanted.to_string()) {
      return "; the predecessor still ends its listener '" + name +
             "' there, because it was not asked for before the commit: try again in a moment";
    }
  }
  return {};
}

/// Closing one of several sockets on an address would reset the connections in its queue, and those
/// on their way to it. So the acceptor there with the fewest sockets takes it too.
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
    ports_.insert(socket->address.port());
    return true;
  }
  what.fd = std::move(socket->fd);
  return false;
}

inventory::names inventory::unwanted() {
  const std::lock_guard lock{mutex_};
  // The predecessor closes these sockets gracefully. A `listen` that claimed one now would lose it
  // to that.
  claims_over_ = !keeps_unclaimed_;
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

}  // namespace graceful
