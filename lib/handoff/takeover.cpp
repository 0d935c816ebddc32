// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/takeover.hpp"

#include "handoff/passed_channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/home_process.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

#include <poll.h>

namespace graceful {

namespace {

/// The pause between two looks at a server that is starting or ending: it holds the lock, but does
/// not answer.
constexpr std::chrono::milliseconds look_again{10};

using clock = std::chrono::steady_clock;

constexpr const char* takeover_variable = "GRACEFUL_TAKEOVER";

failure already_running(const std::string& path, os::deadline until) {
  const auto connection =
      varlink_connection::connect(path, std::min(until, os::after(os::dying_time)));
  if (!connection && connection.error().code == errc::not_ready) {
    return {errc::already_running, connection.error().message};
  }
  const std::string who = connection && connection->peer().pid > 0
                              ? " as pid " + std::to_string(connection->peer().pid)
                              : std::string{};
  return {errc::already_running, "a server is running already" + who + " (control socket " + path +
                                     "). To replace it: graceful-ctl upgrade " + path +
                                     ", or start this one with GRACEFUL_TAKEOVER=1"};
}

/// Connects through the channel, once. Uses the path if no channel was passed, or an attempt over
/// it has already failed.
result<varlink_connection> reach(takeover_request& request, os::deadline until) {
  if (auto channel = std::exchange(request.channel, {})) {
    if (auto passed = varlink_connection::adopt(std::move(channel))) return passed;
  }
  return varlink_connection::connect(request.control_path, until);
}

result<void> check_passed(const ownership& owned, const std::string& path) {
  if (!*owned.lock || !os::holds_lock(owned.lock->get(), path)) {
    return failure{errc::wrong_socket, "the lock that was passed is not that of " + path};
  }
  return os::check_control(owned.control->get());
}

/// Takes everything over; none if the predecessor died before it had passed everything.
result<std::optional<takeover>> take_over(varlink_connection connection,
                                          const takeover_request& request) {
  auto driver = std::make_unique<successor_driver>(std::move(connection), request.token,
                                                   request.manager, request.step_timeout);
  const auto outcome = driver->take_over();
  if (!outcome) {
    driver->fail(outcome.error().message);
    return outcome.error();
  }
  if (*outcome == successor_driver::outcome::predecessor_died) return std::optional<takeover>{};
  const auto& kept = driver->offer().kept;
  takeover taken;
  for (auto& [name, fd] : driver->take_descriptors()) {
    if (name == wire::lock_name) {
      taken.owned.lock = os::share_but_keep(std::move(fd));
    } else if (name == wire::control_name) {
      taken.owned.control = os::share_but_keep(std::move(fd));
    } else if (!name.starts_with('@')) {
      const bool is_kept = std::ranges::find(kept, name) != kept.end();
      taken.listeners.push_back({std::move(name), std::move(fd), is_kept});
    }
  }
  if (const auto checked = check_passed(taken.owned, request.control_path); !checked) {
    driver->fail(checked.error().message);
    return checked.error();
  }
  // From now on the lock has a second owner, so the predecessor's death alone does not free it.
  os::sign_lock(taken.owned.lock->get(), os::signing::beside);
  taken.owned.file = os::identify(request.control_path);
  taken.owned.predecessor = std::move(driver);
  return std::optional{std::move(taken)};
}

}  // namespace

takeover_request takeover_request::of(const options& opts, std::string control_path,
                                      std::string manager, os::start_command& start) {
  // A set-id program reads it too, whoever has set it: the server at the control path compares the
  // token, and refuses one that it has not made.
  const char* given = std::getenv(token_variable);
  std::string token = given == nullptr ? "" : given;
  (void)start.take(token_variable);
  const bool told = start.take(takeover_variable) == "1";
  auto channel = take_channel(start, token, control_path);
  return {.control_path = std::move(control_path),
          .token = std::move(token),
          .explicitly = told || opts.takeover,
          .manager = std::move(manager),
          .step_timeout = opts.handoff_timeout,
          .channel = std::move(channel)};
}

result<takeover> take_ownership(takeover_request request, log& log) {
  const bool wanted = request.explicitly || !request.token.empty();
  const auto until = clock::now() + request.step_timeout;
  bool left_alone = false;    // the predecessor closed the connection: the lock tells whether it
                              // lives
  bool held_by_dead = false;  // all owners of the lock have ended
  clock::time_point dead_since;
  for (;;) {
    // Try the predecessor first, because a live one is what counts: its lock file may have been
    // removed, or belong to root if it has dropped privileges since.
    if (wanted) {
      auto connection = reach(request, until);
      if (connection) {
        auto taken = take_over(std::move(*connection), request);
        if (!taken || *taken) return taken ? result<takeover>{std::move(**taken)} : taken.error();
        left_alone = true;
      } else if (connection.error().code != errc::not_running) {
        return connection.error();
      }
    }
    auto lock = os::try_lock(request.control_path);
    if (!lock) return lock.error();
    const bool held_before =
        std::exchange(held_by_dead, !*lock && os::owners_have_ended(request.control_path));
    if (!held_before) dead_since = clock::now();
    if (held_by_dead && clock::now() - dead_since >= os::dying_time) {
      // A process that the owners forked keeps the lock from processes that start.
      lock = os::replace_lock(request.control_path);
      if (!lock) return lock.error();
      held_by_dead = false;
      if (*lock) {
        log.warning(
            "the server here has died, but a process that it left behind (a child that it had "
            "forked?) holds its lock: the lock is replaced; if a port is in use too, end that "
            "process");
      }
    }
    if (*lock) {
      if (left_alone) {
        log.warning("the predecessor died before it had handed over: this process starts cold");
      }
      auto control = os::bind_control(request.control_path);
      if (!control) {
        // The lock may have been made just now, beside a server whose own lock file was removed. If
        // it stayed, every successor of that server would report that it was passed the wrong lock.
        os::remove_path(os::lock_path(request.control_path), os::identify((*lock)->get()));
        return control.error();
      }
      return takeover{{{.lock = os::share_but_keep(std::move(**lock)),
                        .control = os::share_but_keep(std::move(*control)),
                        .file = os::identify(request.control_path)},
                       nullptr},
                      {}};
    }
    if (!wanted && !held_by_dead) return already_running(request.control_path, until);
    if (!held_by_dead && clock::now() >= until) {
      if (left_alone) {
        return failure{errc::peer_gone, "the predecessor closed the connection, but keeps serving"};
      }
      return failure{errc::timed_out,
                     "the lock of " + request.control_path + " is held, but nobody answers there"};
    }
    ::poll(nullptr, 0, static_cast<int>(look_again.count()));
  }
}

}  // namespace graceful
