// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/server_process.hpp"

#include "os/child.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"
#include "wire/control_messages.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace graceful {

namespace {

named_process itself(const speaker& by) {
  return {.pid = by.pid,
          .pidfd = by.pidfd ? unique_fd{::fcntl(by.pidfd.get(), F_DUPFD_CLOEXEC, 0)}
                            : os::open_pidfd(by.pid)};
}

/// `user`: also accepts processes of this user that are not below this one; none: does not.
bool can_be_server(pid_t pid, int pidfd, std::optional<uid_t> user) {
  if (os::is_below_this(pid)) return os::is_held(pidfd);
  const auto status = os::process_status::of(pid, pidfd);
  return status && user && status->user == *user && pid != ::getpid() && !os::is_ancestor(pid);
}

/// `number` counts in this process's PID namespace.
std::optional<named_process> find(pid_t number, std::optional<uid_t> user) {
  auto pidfd = os::open_pidfd(number);
  const int why = errno;
  // It has ended, and its end will be reported; no other process is affected.
  if (!pidfd && why == ESRCH) return named_process{.pid = number, .gone = true};
  const bool thread = !pidfd && (why == EINVAL || why == ENOENT);
  if (thread || !can_be_server(number, pidfd.get(), user)) return {};
  return named_process{.pid = number, .pidfd = std::move(pidfd)};
}

/// A successor signs the lock shortly before it calls listen(2).
constexpr int looks_after_a_change = 3;

/// A server that a shell has started is also a descendant of a child of this process.
bool has_children_but(const std::set<pid_t>& formers, pid_t ended) {
  const auto children = os::own_children();
  if (children) {
    return std::ranges::any_of(*children,
                               [&](pid_t pid) { return pid != ended && !formers.contains(pid); });
  }
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

std::optional<named_process> named_main(const speaker& by, pid_t number) {
  if (by.pid <= 0) return {};
  const auto status = os::process_status::of(by.pid, by.pidfd.get());
  if (!status) {  // it has ended, or there is no /proc
    return number == by.pid ? itself(by) : find(number, std::nullopt);
  }
  if (number == status->numbers.back()) return itself(by);
  if (status->numbers.size() == 1) return find(number, by.user);
  const auto here = os::number_here(by.pid, number);
  return here ? find(*here, by.user) : std::nullopt;
}

path_server path_server::of(const std::string& path, os::deadline until) {
  path_server found;
  auto connection = os::connect_unix(path, until);
  if (!connection) {
    const auto& why = connection.error().code;
    const bool nobody = why == os::system_code(ECONNREFUSED) || why == os::system_code(ENOENT);
    found.what = nobody ? kind::nobody : kind::unknown;
    return found;
  }
  const auto peer = os::peer::of(connection->get());
  // Read the number first, then check that it is still the same process; the other order would
  // prove nothing.
  if (!peer || os::peer_has_ended(connection->get())) {
    found.what = kind::unknown;
    return found;
  }
  found.what = kind::process;
  found.own_user = peer->trusted();
  if (peer->trusted(os::trust::operators)) found.pid = peer->pid;
  if (found.pid > 0) found.pidfd = os::peer_pidfd(connection->get());
  found.connection = std::move(*connection);
  return found;
}

std::optional<serving_watch::lock_state> serving_watch::lock() const {
  struct stat status {};
  if (::lstat(os::lock_path(control_).c_str(), &status) != 0) return {};
  const auto changed = std::chrono::seconds{status.st_mtim.tv_sec} +
                       std::chrono::nanoseconds{status.st_mtim.tv_nsec};
  return lock_state{{status.st_dev, status.st_ino}, changed};
}

std::optional<named_process> serving_watch::look(const supervision::memory& known) {
  if (control_.empty()) return {};
  const auto now = lock();
  if (now && now != std::exchange(lock_, now)) looks_left_ = looks_after_a_change;
  if (looks_left_ == 0) return {};
  auto who = path_server::of(control_, std::chrono::steady_clock::now());
  if (who.what != path_server::kind::process) return {};
  --looks_left_;
  if (who.pid <= 0 || !os::is_below_this(who.pid)) return {};
  wire::call call{.method = std::string{wire::watch_method}, .parameters = {}};
  call.oneway = true;
  call.parameters["supervisor"] = socket_;
  (void)os::send_now(who.connection.get(), wire::to_message(call));  // a new socket has room
  const auto before = std::exchange(server_, who.pid);
  if (who.pid == known.main || who.pid == known.speaker) return {};
  // Main may be a shell around the server that restarts it when it dies. That is no upgrade; in an
  // upgrade the previous process is still alive now.
  const bool upgraded = before && before != who.pid && os::process_identity::of(*before);
  if (known.main && !upgraded && os::is_descendant(who.pid, *known.main)) return {};
  return named_process{.pid = who.pid, .pidfd = std::move(who.pidfd)};
}

serving_watch::after serving_watch::end_of(pid_t main, const supervision::memory& known) const {
  if (control_.empty()) return {};
  auto who = path_server::of(control_, std::chrono::steady_clock::now());
  if (who.what == path_server::kind::process) {
    if (who.pid <= 0 || !os::is_below_this(who.pid)) return {};
    if (who.pid != main && !known.formers.contains(who.pid)) {
      return {.heir = who.pid, .pidfd = std::move(who.pidfd)};
    }
  }
  return {.may_come = has_children_but(known.formers, main)};
}

}  // namespace graceful
