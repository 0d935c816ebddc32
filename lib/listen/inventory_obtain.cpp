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

result<shared_socket> inventory::obtain_beside(const listening_socket& first, std::string_view name,
                                               const listen_params& params) {
  std::unique_lock lock{mutex_};
  const auto as = provisional_ && first.adopted ? membership::late : membership::beside;
  lock.unlock();
  return obtain(name, first.address, params, {}, as);
}

result<shared_socket> inventory::obtain(std::string_view name, const os::socket_address& wanted,
                                        const listen_params& params, unique_fd own, membership as) {
  if (auto checked = check_name(name); !checked) return checked.error();
  const std::string key{name};
  inheritance::claim claim;
  {
    const std::lock_guard lock{mutex_};
    if (auto more = check_open_for_more(); !more) return more.error();
    // Reserves the name, so that the lock need not be held while the address is in use.
    if (!entries_.emplace(key, entry{}).second) {
      return failure{errc::invalid_argument, "there is a listener named '" + key + "' already"};
    }
    claim = inherited_.take(key, wanted, !claims_over_);
  }
  const auto give_up = [this](const std::string* reserved) {
    const std::lock_guard lock{mutex_};
    entries_.erase(*reserved);
  };
  std::unique_ptr<const std::string, decltype(give_up)> reservation{&key, give_up};

  const bool kept = claim.socket && claim.socket->what.kept;
  auto socket = make_socket(key, wanted, params, std::move(claim), std::move(own), as);
  if (!socket) return socket;
  const std::lock_guard lock{mutex_};
  if (auto more = check_open_for_more(); !more) return more.error();
  entry added{.socket = *socket, .user = nullptr, .kept = kept, .late = (*socket)->late};
  if (added.late && !provisional_ && !begin_late(added)) {  // a commit has happened meanwhile
    return os::system_failure("cannot listen on " + added.socket->address.to_string());
  }
  ports_.insert(added.socket->address.port());
  entries_[key] = std::move(added);
  (void)reservation.release();
  tell_change();
  return socket;
}

/// Returns what was claimed, or else the caller's own socket, or else a new one.
result<shared_socket> inventory::make_socket(const std::string& name,
                                             const os::socket_address& wanted,
                                             const listen_params& params, inheritance::claim claim,
                                             unique_fd own, membership as) {
  if (claim.socket && claim.socket->name != name) {
    log_.info("listener '" + name + "' adopts what was handed over as '" + claim.socket->name +
              "': it is bound to " + claim.socket->address.to_string());
  } else if (!claim.elsewhere.empty()) {
    log_.warning("listener '" + name + "' was handed over bound to " + claim.elsewhere +
                 ", but is to listen on " + wanted.to_string() + ": bound again");
  }
  unique_fd fd;
  std::optional<origin> from;
  if (claim.socket) {
    fd = std::move(claim.socket->what.fd);
    from = claim.socket->what.from;
    if (auto right = check_claimed(name, fd.get(), *from, params); !right) return right.error();
  } else if (own) {
    auto fitting = fit(name, std::move(own), wanted, params);
    if (!fitting) return fitting.error();
    fd = std::move(*fitting);
  }
  const bool bound_here = !fd;
  int backlog_now = params.backlog;
  if (bound_here) {
    auto fresh = bind_afresh(wanted, params, as);
    if (!fresh) return fresh.error();
    fd = std::move(*fresh);
  } else {
    const auto queue = os::check_listening_tcp(fd.get());
    if (!queue) {
      return failure{queue.error().code, "listener '" + name + "': " + queue.error().message};
    }
    // Asio caches that it has set O_NONBLOCK. If the flag were clear, a speculative accept in any
    // holder would block its thread.
    if (auto mode = os::make_blocking(fd.get(), params.blocking); !mode) return mode.error();
    backlog_now = static_cast<int>(queue->limit);
  }
  // The option may be set at any time; from then on others can be bound beside the socket.
  if (as != membership::alone || (from && params.reuse_port)) {
    if (auto shared = os::share_port(fd.get()); !shared) return shared.error();
  }
  const auto address = os::socket_address::bound_to(fd.get());
  if (tells_origins_) {
    log_.info("listener '" + name + "' (" + address.to_string() + ") " + to_text(from));
  }
  return std::make_shared<const listening_socket>(listening_socket{
      name, address, std::move(fd), params.backlog, backlog_now, from == origin::predecessor,
      bound_here && as == membership::late, bound_here});
}

result<unique_fd> inventory::bind_afresh(const os::socket_address& wanted, listen_params params,
                                         membership as) const {
  // The first socket of a group is bound alone, so that another listener on the address is noticed.
  if (as != membership::alone) params.reuse_port = as != membership::first;
  auto fresh =
      as == membership::late ? os::bind_tcp(wanted, params) : os::listen_tcp(wanted, params);
  if (fresh || fresh.error().code != os::system_code(EADDRINUSE)) return fresh;
  return failure{fresh.error().code, fresh.error().message + who_has(wanted)};
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

/// Some properties of a bound socket cannot be changed. It is better to fail before ready(), which
/// costs nothing, than to serve half of the clients.
result<void> inventory::check_claimed(const std::string& name, int fd, origin from,
                                      const listen_params& params) {
  const auto bound = os::socket_address::bound_to(fd);
  const bool any_v6 = bound.family() == AF_INET6 && bound.is_any();
  const bool asked = params.v6only.value_or(os::system_v6only());
  if (any_v6 && os::is_v6only(fd) != asked) {
    return failure{
        errc::wrong_socket,
        "listener '" + name + "' (" + bound.to_string() + ") was handed over " +
            (asked ? "for IPv6 and IPv4, and is to be for IPv6 only"
                   : "for IPv6 only, and is to be for IPv4 too") +
            ", which cannot be changed on a bound socket: ask for listen_params::v6only = " +
            (asked ? "false" : "true") + ", or stop the server and start it again"};
  }
  if (params.blocking && from == origin::predecessor && !os::is_blocking(fd)) {
    return failure{
        errc::wrong_socket,
        "listener '" + name +
            "': the predecessor accepts from it without waiting, and this process would wait in "
            "accept(2), which all processes that have the socket share: stop the predecessor "
            "before "
            "this build starts"};
  }
  if (!params.blocking && from == origin::predecessor && os::is_blocking(fd)) {
    log_.warning(
        "listener '" + name +
        "': the predecessor waits in accept(2) on it, and this build does not: from now on "
        "accept(2) fails with EAGAIN there too where no client waits");
  }
  if (const auto device = os::bound_device(fd); !device.empty()) {
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

bool inventory::accepts_at(const entry& e, const os::socket_address& address) {
  return e.socket && e.user && e.socket->address.satisfies(address);
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
    if (!accepts_at(entry, address)) continue;
    const auto known = std::ranges::find_if(
        there, [&user = entry.user](const candidate& c) { return c.first->user == user; });
    if (known == there.end()) {
      there.push_back({&entry, 1});
    } else {
      ++known->sockets;
    }
  }
  if (there.empty() || !os::make_blocking(what.fd.get(), false)) return false;
  std::ranges::stable_sort(there, {}, &candidate::sockets);
  std::string key = name;
  for (int i = 0; entries_.contains(key); ++i) {
    key = std::string{group_of(name)} + '/' + std::to_string(i);
  }
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
    if (std::ranges::none_of(entries_,
                             [&](const auto& item) { return accepts_at(item.second, address); })) {
      all.push_back(name);
    }
  }
  return all;
}

}  // namespace graceful
