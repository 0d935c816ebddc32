// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <stdexcept>
#include <string>

namespace graceful_systemd {

/// The kernel does not allow it, or lacks something: such tests cannot run here.
struct unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A cgroup of our own below the current one; removed, with all below it, by the destructor. Its
/// processes must have ended by then.
class cgroup {
 public:
  /// Mounts the unified hierarchy on /sys/fs/cgroup. Call it in a private mount namespace.
  cgroup();
  cgroup(const cgroup&) = delete;
  cgroup& operator=(const cgroup&) = delete;
  ~cgroup();

  void enter() const;  ///< Moves the calling process into it.

 private:
  std::string directory_;
};

/// Makes the mount namespace private, so that no mount in it gets out.
void make_mounts_private();

/// What an isolated process finds.
struct view {
  std::string build{};    ///< Appears as /opt/build, read-only.
  std::string systemd{};  ///< Where another systemd was unpacked; empty: the installed one is used.
  std::string console{};  ///< A terminal that becomes /dev/console.
};

/// For the first process of a PID namespace. Makes mount and cgroup namespaces of its own, whose
/// root is the current cgroup. The file system is the same, but read-only everywhere. Writable,
/// empty at first, and gone with the namespace are /etc/systemd, /opt, /run, /tmp, /usr/local/bin,
/// /var/lib/systemd, /var/log and /var/tmp; there are no units, generators and tmpfiles.d except
/// those that the test brings. An unconfined systemd would empty /tmp, set sysctls and end in
/// rescue.target.
void isolate(const view& what);

}  // namespace graceful_systemd
