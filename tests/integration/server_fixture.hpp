// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/census.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/load.hpp>
#include <graceful/testing/process.hpp>

#include "contains.hpp"
#include "eventually.hpp"
#include "patience.hpp"
#include "testing/scene.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful_test {

using namespace graceful::testing;

/// The programs under test, where the build has put them.
struct programs {
  static std::string http_server();
  static std::string pool_server();
  static std::string graceful_ctl();
  static std::string gated_server();
  static std::string shaped_server();
  static std::string forking_server();

  /// The directory of their libraries, for a copy of a program in another place.
  static std::string libraries();

  /// A program of tests/interop.
  static std::vector<std::string> python(const char* name);
};

/// The result of a program that has ended.
struct finished {
  std::string status;  // "exited 0"
  std::string out;
  std::string all;  // both outputs
};

/// Runs a program until it ends.
finished run(scene& where, std::vector<std::string> argv, process_options options = {});

/// Whether a program can be run behind `prefix`. See `is_possible`, which says what cannot be had.
bool can_run(const std::vector<std::string>& prefix, const std::string& what,
             const std::vector<std::string>& program = {"/bin/true"});

/// Words, and more words behind them.
std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more);

/// The command line of an http_server that listens on any port.
std::vector<std::string> http_command(const std::string& control);

/// A command line with this port instead of any.
std::vector<std::string> at_port(std::vector<std::string> command, std::uint16_t port);

/// The arguments with which an upgrade starts this command.
std::vector<std::string> behind_dashes(std::vector<std::string> command);

/// A server in its own scene, and an operator's shell.
class server_fixture {
 public:
  /// Starts the server and waits until it is ready. `arguments` are added to its command line, and
  /// --listen 127.0.0.1:0 and --probation 0 unless they set these. The server is an http_server
  /// unless `program` names another.
  explicit server_fixture(std::vector<std::string> arguments = {}, process_options options = {},
                          const std::string& program = programs::http_server());

  [[nodiscard]] process& server() { return *server_; }
  [[nodiscard]] std::uint16_t port(std::size_t listener = 0) const { return ports_.at(listener); }
  [[nodiscard]] std::string control() const { return scene_.path("control.sock"); }
  [[nodiscard]] graceful_test::scene& scene() { return scene_; }

  /// The server's command line, for another process of the same kind.
  [[nodiscard]] std::vector<std::string> command() const { return command_; }

  /// Runs graceful-ctl with these arguments until it ends.
  finished ctl(std::vector<std::string> arguments, process_options options = {});

  /// Starts it, and does not wait.
  process& start_ctl(std::vector<std::string> arguments);

  /// Runs, or starts, graceful-ctl COMMAND CONTROL-PATH with more arguments.
  finished upgrade(std::vector<std::string> more = {});
  finished status(std::vector<std::string> more = {});
  process& start_upgrade(std::vector<std::string> more = {});

  /// Repeats status until it says this; waits until the deadline only if it never does.
  bool status_comes_to_say(const std::string& text);

  /// The census of a generation when all its threads run and it has no connection.
  census at_rest() { return at_rest(server_->pid()); }
  census at_rest(pid_t generation);

  /// From Status; -1 if there is no answer.
  [[nodiscard]] std::int64_t generation() const;
  [[nodiscard]] pid_t pid() const;

  /// See `hold_on`.
  [[nodiscard]] http_connection hold() const;

  /// A load that keeps connections alive, or not.
  http_load load_on(bool keep_alive) const;

 private:
  graceful_test::scene scene_;
  std::vector<std::string> command_;
  process* server_;
  std::vector<std::uint16_t> ports_;
  std::size_t threads_ = 1;
};

/// A server_fixture of a shaped_server.
server_fixture shaped(const std::string& shape, std::vector<std::string> more = {});

/// A connection in the middle of its second request: the process that serves now drains until it
/// ends.
http_connection hold_on(std::uint16_t port);

/// Like `hold_on`, by this generation: for a moment after it is ready its predecessor
/// accepts too.
http_connection hold_by(std::uint64_t generation, std::uint16_t port);

/// Whether only this generation serves new clients, after a short time: for a moment at a handover,
/// and at a rollback, two processes accept. False also if a client is lost.
bool serves_alone(std::uint64_t generation, const server_fixture& s);

/// The pid of the successor, as soon as this graceful-ctl upgrade reports it; throws if it does
/// not.
pid_t spawned_pid(process& ctl);

}  // namespace graceful_test
