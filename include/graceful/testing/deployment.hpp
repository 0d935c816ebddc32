// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_DEPLOYMENT_HPP
#define GRACEFUL_TESTING_DEPLOYMENT_HPP

#include <graceful/control_client.hpp>
#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/deployment_params.hpp>
#include <graceful/testing/leak_report.hpp>
#include <graceful/testing/load.hpp>
#include <graceful/testing/pending_upgrade.hpp>
#include <graceful/testing/upgrade_outcome.hpp>
#include <graceful/testing/upgrade_params.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace graceful::testing {

/// A running server in a directory of its own, with all processes that its upgrades start: the site
/// of a deploy test. Several may exist at once, in one program and in several.
///
/// The processes end with this object, and with the test program, even if that is killed. They are
/// recognised by the variable GRACEFUL_TEST_SCENE, which they pass on. The test program becomes the
/// subreaper (PR_SET_CHILD_SUBREAPER) of processes whose parent has ended, and reaps them.
///
/// **Errors.** If the server cannot be started, or takes no orders, throws `std::runtime_error`
/// with its output, or `std::system_error` if there is no such program. For a generation that does
/// not exist, throws `std::out_of_range`. The outcome of an upgrade is a value.
///
/// **Thread-safety.** Several threads may call members at once. The server dies with the thread
/// that constructed this object.
class GRACEFUL_API deployment {
 public:
  /// Starts the server, and returns when it serves.
  explicit deployment(deployment_params params);
  deployment(const deployment&) = delete;
  deployment& operator=(const deployment&) = delete;
  ~deployment();

  /// The address of the listener of this name, or of the first one: "127.0.0.1:40123".
  [[nodiscard]] std::string address(std::string_view listener = {}) const;
  [[nodiscard]] std::uint16_t port(std::string_view listener = {}) const;

  [[nodiscard]] std::string control() const;    ///< The value of {control}.
  [[nodiscard]] std::string directory() const;  ///< The value of {directory}.
  [[nodiscard]] std::chrono::milliseconds patience() const;

  // Start a load on the first listener, unless `what` names a port.
  [[nodiscard]] load start_http_load(http_load what = {}) const;
  [[nodiscard]] load start_exchange_load(exchange_load what) const;
  [[nodiscard]] load start_stream_load(stream_load what = {}) const;
  [[nodiscard]] load start_connect_load(connect_load what = {}) const;
  [[nodiscard]] load start_slow_load(slow_load what = {}) const;

  /// Puts the losses of a load into the report of this deployment.
  void remember(const load_report& seen, std::string_view name = "load");

  /// Deploys, and returns at `params.until` or when the upgrade fails.
  upgrade_outcome upgrade(const upgrade_params& params = {});

  /// Deploys, and returns at once; `params.until` does not count.
  pending_upgrade start_upgrade(const upgrade_params& params = {});

  // Do what graceful-ctl does: see `control_client`, also for the errors.
  result<void> commit();
  result<void> rollback();
  result<void> abort();
  result<drain_progress> drain(bool now = false);
  server_status status();
  std::string metrics();  ///< OpenMetrics 1.0.

  /// The generation that serves, from Status.
  std::uint64_t generation();

  [[nodiscard]] pid_t pid(std::uint64_t generation) const;

  /// False if it has ended.
  bool kill(std::uint64_t generation, int signal);

  /// Sends SIGSTOP; returns when the process has stopped. False if it has ended.
  bool stop(std::uint64_t generation);
  bool cont(std::uint64_t generation);

  /// True once this generation has ended.
  bool wait_gone(std::uint64_t generation, deadline until);
  bool wait_gone(std::uint64_t generation);

  /// Waits for the first event of this kind, or the `nth`, since the deployment began; see
  /// `server_event::event`. None at the deadline.
  std::optional<server_event> wait_for_event(std::string_view event, deadline until,
                                             std::size_t nth = 1);
  std::optional<server_event> wait_for_event(std::string_view event);

  /// Reports what upgrades have left behind: descriptors that an exec would pass on, paths in the
  /// directory, processes of earlier generations, and any difference between the process that
  /// serves now and generation 1 at rest. That compares the numbers of descriptors, sockets, epoll
  /// entries, threads, zombies and child processes, whether more or fewer.
  ///
  /// At rest means: it serves, no upgrade and no drain runs, no tracked connection is open. Waits
  /// for that, and until nothing is left, within the patience or until the deadline; it stops
  /// earlier if what is left stays the same for `deployment_params::rest`.
  leak_report leaks();
  leak_report leaks(deadline until);

  /// Makes the present resources of the serving process the reference for `leaks` from now on. For
  /// a server that opens things with its first request: call this after that request.
  void take_reference();

  /// A report for people: how each process ended, its output, and a timeline.
  [[nodiscard]] std::string report();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
  int exceptions_;  // in flight when it was constructed
};

}  // namespace graceful::testing

#endif
