// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/process.hpp>
#include <graceful/unique_fd.hpp>

#include "testing/guardian.hpp"

#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful::testing {

/// Where a test takes place: a directory of its own, and the processes that it starts there.
///
/// All processes that are left end with the scene, above all successors that outlived their
/// predecessors, even if the test program is killed. They are recognised by the variable
/// GRACEFUL_TEST_SCENE, which each process passes on. The test program becomes a subreaper, so that
/// it can reap them.
class scene {
 public:
  scene();
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;
  ~scene();

  /// The reference is valid as long as the scene.
  process& start(std::vector<std::string> argv, process_options options = {});

  /// A path in the directory, which only this user may use (0711 instead of 0700 once a process has
  /// been started as another user, so that it can reach a socket).
  [[nodiscard]] std::string path(std::string_view name) const;

  [[nodiscard]] const std::string& directory() const { return directory_; }

  /// Keeps the directory when the scene ends.
  void keep_directory() { keep_directory_ = true; }

  /// The live processes, without those that are exiting. Throws `std::system_error` if it cannot
  /// look, as does wait_all_gone().
  [[nodiscard]] std::vector<pid_t> living() const;

  /// Kills all processes. The objects stay, for their outputs. If the processes cannot be found,
  /// because no descriptor is free, the guardian kills them, and removes the directory.
  void end() noexcept;

  /// Waits until no process of this scene is alive, and reaps them.
  bool wait_all_gone(deadline until);

  /// How all processes ended, and the ends of their outputs, for a test that failed.
  [[nodiscard]] std::string report();

 private:
  struct found;
  [[nodiscard]] std::vector<found> marked() const;
  [[nodiscard]] std::vector<graceful::unique_fd> left_behind() const;
  void end_left_behind();

  std::string directory_;
  std::optional<guardian> guardian_;
  bool keep_directory_ = false;
  std::list<process> processes_;
};

}  // namespace graceful::testing
