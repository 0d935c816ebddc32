// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_SYSTEMD_ISOLATION_HPP
#define GRACEFUL_TESTS_SYSTEMD_ISOLATION_HPP

#include <stdexcept>
#include <string>

namespace graceful_systemd {

/// The kernel does not let us, or lacks something: there can be no such test here.
struct unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A cgroup of our own below the one that we are in; removed, with all below it, when this goes.
/// Its processes have to be gone by then.
class cgroup {
 public:
  /// Mounts the unified hierarchy on /sys/fs/cgroup, in what has to be a mount namespace of our
  /// own.
  cgroup();
  cgroup(const cgroup&) = delete;
  cgroup& operator=(const cgroup&) = delete;
  ~cgroup();

  void enter() const;  ///< With the calling process.

 private:
  std::string directory_;
};

/// Leaves the mount namespace to nobody else, and stops what is mounted in it from getting out.
void make_mounts_private();

/// What an isolated process finds.
struct view {
  std::string build{};    ///< Appears as /opt/build, read-only.
  std::string systemd{};  ///< Where another systemd was unpacked; empty: the installed one.
  std::string console{};  ///< A terminal, to be /dev/console.
};

/// For the first process of a PID namespace; makes mount and cgroup namespaces of its own, whose
/// root is the cgroup that it is in. The file system as it is, but read-only all over. Writable,
/// empty at first and gone with the namespace are /etc/systemd, /opt, /run, /tmp, /usr/local/bin,
/// /var/lib/systemd, /var/log and /var/tmp; there are no units, generators and tmpfiles.d but those
/// that the test brings. A systemd on the loose would empty /tmp, set sysctls and end in
/// rescue.target.
void isolate(const view& what);

}  // namespace graceful_systemd

#endif
