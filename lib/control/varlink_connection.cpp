// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_connection.hpp"

#include "os/child.hpp"
#include "os/close_aside.hpp"
#include "os/control_path.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace graceful {

using kind = os::transfer::kind;

namespace {

/// The pause between two connects to a path whose listener has died: each leaves a connection in
/// its queue.
constexpr std::chrono::milliseconds look_again{250};

/// The pause while a successor starts, which may take long: the queue must keep room for others.
constexpr std::chrono::milliseconds look_at_starting{1'000};

/// The pause where no process listens: the holder of the lock starts, ends, or puts its socket
/// back.
constexpr std::chrono::milliseconds look_at_absent{50};

/// The process that listened at `path` has died. Its successor, if it has all the sockets, will
/// soon listen; a child that it forked never will. The lock tells them apart.
failure nobody_answers(const std::string& path, const std::vector<pid_t>& successors) {
  if (successors.empty()) {
    return {errc::not_running, "no server is running at " + path +
                                   ": it has died, and a process that it has left behind holds "
                                   "its socket"};
  }
  return {errc::not_ready, "the server at " + path + " has died, and its successor (pid " +
                               std::to_string(successors.back()) +
                               ") is starting: wait until it serves, or look at its log"};
}

/// No process listens at `path`. One of `owners`, who hold its lock, should.
failure nobody_listens(const std::string& path, const std::vector<pid_t>& owners, bool there) {
  if (owners.empty()) {
    return {errc::not_running,
            "no server is running at " + path + (there ? ": the socket was left behind" : "")};
  }
  return {errc::not_ready, "pid " + std::to_string(owners.back()) + " holds " + path +
                               ", but does not listen there: it is starting or ending, or its "
                               "socket was removed and it cannot put it back: look at its log"};
}

bool is_refused(const boost::system::error_code& code) {
  return code == os::system_code(ENOENT) || code == os::system_code(ECONNREFUSED);
}

result<unique_fd> connect_to_living(const std::string& path, os::deadline until) {
  const auto enough = std::min(until, os::after(os::dying_time));
  for (;;) {
    auto socket = os::connect_unix(path, until);
    if (socket && !os::peer_has_ended(socket->get())) return socket;
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    if (!socket && there && !S_ISSOCK(status.st_mode)) {
      return failure{errc::path_in_use,
                     path + " is no socket; name the control socket of a server"};
    }
    if (!socket && !is_refused(socket.error().code)) return socket;
    const auto owners = os::living_owners(path);
    const auto now = std::chrono::steady_clock::now();
    if (!socket && (owners.empty() || now >= until)) return nobody_listens(path, owners, there);
    if (socket && now >= (owners.empty() ? enough : until)) return nobody_answers(path, owners);
    const auto pause = !socket ? look_at_absent : now < enough ? look_again : look_at_starting;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    ::poll(nullptr, 0, static_cast<int>(std::min(pause, left).count()));
  }
}

}  // namespace

result<varlink_connection> varlink_connection::connect(const std::string& path, os::deadline until,
                                                       os::trust whom) {
  auto socket = connect_to_living(path, until);
  if (!socket) {
    const auto& why = socket.error();
    if (why.code == os::system_code(EACCES) || why.code == os::system_code(EPERM)) {
      return failure{errc::permission_denied,
                     why.message + "; use the user that the server runs as, or root"};
    }
    return why;
  }
  const auto peer = os::peer::of(socket->get());
  if (!peer || !peer->trusted(whom)) {
    return failure{errc::permission_denied,
                   "the server at " + path + " runs as another user" +
                       (peer ? " (" + std::to_string(peer->uid) + ")" : std::string{}) +
                       "; it is not trusted: give the order as that user"};
  }
  return varlink_connection{std::move(*socket), *peer};
}

result<varlink_connection> varlink_connection::adopt(unique_fd socket) {
  const auto peer = os::peer::of(socket.get());
  if (!peer || !peer->trusted()) {
    return failure{errc::permission_denied,
                   "the connection that was passed to this process was made by another user"};
  }
  return varlink_connection{std::move(socket), *peer};
}

varlink_connection::~varlink_connection() {
  if (!home_.is_this()) return;  // in a child of fork(2) the connection belongs to the parent
  os::close_aside(std::move(box_.descriptors));
  os::close_connection(std::move(socket_));
}

result<void> varlink_connection::send(const wire::call& call, os::deadline until) {
  const std::string message = wire::to_message(call);
  std::string_view left = message;
  while (!left.empty()) {
    const auto done = os::send_now(socket_.get(), left);
    if (done.what == kind::some) {
      left.remove_prefix(done.bytes);
    } else if (done.what == kind::closed) {
      return {};
    } else if (done.what == kind::failed) {
      return os::system_failure("cannot send to the server", done.error);
    } else if (!os::wait_writable(socket_.get(), until)) {
      return failure{errc::timed_out, "the server did not take the call in time"};
    }
  }
  return {};
}

/// The order matters: after shutdown(2), only a server that can see it reads what is still unread.
bool varlink_connection::give_up() {
  int unread = 0;
  ::shutdown(socket_.get(), SHUT_RDWR);
  return ::ioctl(socket_.get(), SIOCOUTQ, &unread) == 0 && unread == 0;  // unix(7)
}

result<varlink_connection::incoming> varlink_connection::receive(os::deadline until, int pidfd) {
  bool died = false;
  for (;;) {
    if (auto text = framer_.next()) {
      return incoming{std::move(*text), std::exchange(box_.descriptors, {}),
                      std::exchange(box_.truncated, false), box_.sender ? box_.sender->pid : 0,
                      std::move(box_.sender_pidfd)};
    }
    if (framer_.overflowed()) {
      return failure{errc::protocol_violation, "the server's answer is too long"};
    }
    const auto got = os::receive_now(socket_.get(), box_);
    if (got.what == kind::closed || (got.what == kind::would_block && died)) {
      return failure{errc::peer_gone, "the server closed the connection before it answered"};
    }
    if (got.what == kind::failed) {
      return os::system_failure("cannot read from the server", got.error);
    }
    if (got.what == kind::would_block) {
      if (!os::wait_readable_either(socket_.get(), pidfd, until)) {
        return failure{errc::timed_out, "the server did not answer in time"};
      }
      died = os::wait_readable(pidfd, std::chrono::steady_clock::now());
    }
    framer_.feed(std::exchange(box_.bytes, {}));
  }
}

}  // namespace graceful
