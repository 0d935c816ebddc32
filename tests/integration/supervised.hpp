// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/supervisor_client.hpp>

#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace graceful_test {

/// Executes its arguments as PID 1 of a container, see pid_namespaces(7).
inline const std::vector<std::string> in_container{"/usr/bin/unshare", "--pid",        "--fork",
                                                   "--mount-proc",     "--kill-child", "--"};

/// A server that speaks sd_notify(3), and has nothing else to do with this project.
std::vector<std::string> notifying_server(const std::vector<std::string>& arguments);

/// A server under `graceful-ctl run`, in its own scene.
class supervised {
 public:
  /// `options` of `graceful-ctl run`; in the command {control} stands for the control path.
  /// Restarts are quick and without limit unless the options say otherwise.
  explicit supervised(std::vector<std::string> command, std::vector<std::string> options = {},
                      process_options how = {});

  /// The same in a container, as its PID 1: with its own processes (pid_namespaces(7)), and with
  /// the network and the files of the test. `supervisor()` is then the program that waits for it,
  /// and ends as it does. In the directory of `beside`, unless that is null.
  struct contained {
    supervised* beside = nullptr;
  };
  supervised(contained where, std::vector<std::string> command,
             std::vector<std::string> options = {}, process_options how = {});

  /// An http_server on a free port, which is known when this returns.
  static std::vector<std::string> http();

  /// A server for the control path of `other`, under its own supervisor.
  supervised(const supervised& other, std::vector<std::string> command, process_options how);

  /// Another supervisor with the same command line.
  process& start(process_options how = {});

  [[nodiscard]] process& supervisor() { return *supervisor_; }
  [[nodiscard]] graceful_test::scene& scene() { return scene_; }
  [[nodiscard]] std::string control() const { return control_; }
  [[nodiscard]] std::string socket() const { return socket_; }

  /// The supervisor's status; throws if it does not answer.
  [[nodiscard]] graceful::supervisor_status status() const;

  /// Its status, as soon as `wanted` is true.
  graceful::supervisor_status wait(
      const std::function<bool(const graceful::supervisor_status&)>& wanted) const;

  /// The server's pid once it serves, if it is not `before`.
  pid_t wait_main(std::int64_t before = 0) const;

  /// The port in the first "listening on" of the output.
  std::uint16_t port();

  /// Runs graceful-ctl with these arguments until it ends.
  finished ctl(std::vector<std::string> arguments);

 private:
  void assemble(const std::vector<std::string>& command, std::vector<std::string> options);

  graceful_test::scene scene_;
  std::string control_;
  std::string socket_;
  std::vector<std::string> command_line_;
  process* supervisor_;
};

/// With clients, each of which connects for every request.
struct supervised_under_load : supervised {
  using supervised::supervised;

  static constexpr int clients = 8;

  void go_on(std::uint64_t some = 50) { REQUIRE(at_work.wait_for(some, patience)); }

  /// Stops the clients. None was refused, and each may have lost one request with each server that
  /// was killed.
  load_report never_refused(int kills);

  /// Stops the clients. The server has cut none of them off.
  void reset_nobody();

  load at_work{http_load{.port = port(), .connections = clients, .keep_alive = false}};
};

}  // namespace graceful_test
