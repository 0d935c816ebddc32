// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_watch.hpp"

#include <graceful/error.hpp>

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/system_failure.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"

#include <chrono>
#include <utility>

#include <fcntl.h>

namespace graceful {

namespace {

/// How long the predecessor may take to decide about a request to roll back.
constexpr std::chrono::seconds patience{2};

/// The pause before the next look when a busy application prevented one.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

predecessor_watch::predecessor_watch(asio::io_context& control, log& log, predecessor whom,
                                     std::string control_path, callbacks on)
    : log_{log},
      pid_{whom.pid},
      asks_{whom.asks},
      pidfd_{control},
      dying_{control},
      control_path_{std::move(control_path)},
      orders_{control, {}},
      patience_{control},
      callbacks_{std::move(on)},
      connection_{
          control,
          {.reply = [this](const auto& reply) { on_reply(reply); }, .end = [this] { on_end(); }}} {
  if (whom.pidfd) {
    pidfd_.assign(whom.pidfd.get());
    (void)whom.pidfd.release();
  }
  connection_.use(std::move(whom.connection), std::move(whom.incoming));
}

void predecessor_watch::start() {
  if (pidfd_.is_open()) await_death();
  if (asks_) {
    (void)connection_.send(wire::to_call(wire::settle{}));  // on_end() follows if it has gone
  } else {
    confirm();
  }
  connection_.start();
}

void predecessor_watch::fail(const std::string& why) {
  if (settled_) return;
  (void)connection_.send(wire::to_call(wire::fail{why}));
  give_up(why);
}

void predecessor_watch::leave() {
  settled_ = true;
  connection_.close();
}

/// Answers the question whether this process serves, which only its application can.
void predecessor_watch::confirm() {
  callbacks_.whether_it_serves([this](std::vector<std::string> unwanted) {
    // A process that is about to end must not be committed: it waits for the rollback that it asked
    // for.
    if (settled_ || asked_back_) return;
    (void)connection_.send(wire::to_call(wire::settle{std::move(unwanted)}));
  });
}

void predecessor_watch::on_reply(const std::optional<wire::reply>& reply) {
  if (settled_) return;  // nothing more is expected
  if (reply && reply->error.empty()) {
    const auto answer = wire::parse<wire::settled>(reply->parameters);
    if (answer && !answer->settled) return confirm();
    settled_ = true;
    return callbacks_.committed();
  }
  give_up(reply ? wire::string_field(reply->parameters, "message").value_or(reply->error)
                : "the predecessor's answer is not a reply");
}

/// A predecessor that takes the sockets back says so first, if it can. If nothing was said, its
/// pidfd decides: if it died, this process stays, as nobody else could serve. If it lives, it takes
/// this process for dead.
void predecessor_watch::on_end() {
  if (settled_) return;
  if (!pidfd_.is_open()) return outlive();
  dying_.expires_after(os::dying_time);
  dying_.async_wait([this](boost::system::error_code ec) {
    if (!ec && !decided())
      give_up("the connection to the predecessor was lost, but the predecessor lives");
  });
}

void predecessor_watch::ask_back(const std::string& reason) {
  asked_back_ = true;
  wire::call rollback{.method = std::string{wire::rollback_method}, .parameters = {}};
  rollback.parameters["reason"] = reason;
  if (!orders_.connect(control_path_) || !orders_.send(rollback)) {
    return give_up("the predecessor cannot be asked to serve again");
  }
  patience_.expires_after(patience);
  patience_.async_wait([this](boost::system::error_code ec) {
    if (!ec && !decided()) give_up("the predecessor does not say whether it serves again");
  });
}

/// The predecessor holds the sockets and is alive: it accepts again when it sees the connection
/// end.
void predecessor_watch::give_up(const std::string& why) {
  if (!std::exchange(settled_, true)) callbacks_.rolled_back(why);
}

/// Does not wait for the end of the connection: a process that the predecessor forked may keep it
/// open.
void predecessor_watch::await_death() {
  await_readable(pidfd_, [this] {
    if (!pidfd_.is_open()) return;
    decided();
    // The wake-up was spurious if the predecessor lives.
    if (pidfd_.is_open()) await_death();
  });
}

/// The predecessor has died, so this process stays.
void predecessor_watch::outlive() {
  if (std::exchange(settled_, true)) return;
  const auto pid = pid_ > 0 ? " (pid " + std::to_string(pid_) + ")" : std::string{};
  log_.warning("the predecessor" + pid + " has died in the probation of this process");
  callbacks_.committed();
}

/// Checks for itself, because the event may wait behind the one that is being handled. What the
/// predecessor has said counts before its death, and its death before any deadline.
bool predecessor_watch::decided() {
  // Check for death first: a dead predecessor says nothing more after that.
  const bool dead = pidfd_.is_open() &&
                    os::wait_readable(pidfd_.native_handle(), std::chrono::steady_clock::now());
  connection_.catch_up();
  if (dead) {
    boost::system::error_code ignored;
    pidfd_.close(ignored);
    outlive();
    callbacks_.ended();
  }
  return settled_;
}

giving_up_watch::giving_up_watch(asio::io_context& control, callbacks on)
    : connection_{control}, look_again_{control}, callbacks_{std::move(on)} {}

void giving_up_watch::start(int connection) {
  unique_fd watched{::fcntl(connection, F_DUPFD_CLOEXEC, 3)};
  if (!watched) throw error{os::system_failure("cannot watch the predecessor")};
  connection_.assign(watched.get());
  (void)watched.release();
  await();
}

void giving_up_watch::stop() {
  boost::system::error_code ignored;
  connection_.close(ignored);
}

void giving_up_watch::await() {
  await_readable(connection_, [this] {
    if (!connection_.is_open()) return;
    switch (callbacks_.look()) {
      case seen::nothing:  // the wake-up was spurious, or only half a message has arrived
        return await();
      case seen::busy:
        look_again_.expires_after(pause);
        return look_again_.async_wait([this](boost::system::error_code cancelled) {
          if (!cancelled && connection_.is_open()) await();
        });
      case seen::enough:
        return stop();
    }
  });
}

}  // namespace graceful
