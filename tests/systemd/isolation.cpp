// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "isolation.hpp"

#include <graceful/unique_fd.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

namespace fs = std::filesystem;
using graceful::unique_fd;

namespace graceful_systemd {
namespace {

constexpr std::string_view group_prefix = "graceful-test-";

void need(bool done, const std::string& what) {
  if (!done) throw unavailable{what + ": " + std::strerror(errno)};
}

/// A second mount of the same, which is nowhere in the tree yet.
unique_fd detached(const std::string& path) {
  unique_fd tree{::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)};
  need(static_cast<bool>(tree), "open_tree " + path);
  return tree;
}

void make_read_only(int tree, const char* path, unsigned flags) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  need(::mount_setattr(tree, path, flags, &attributes, sizeof attributes) == 0,
       std::string{"mount_setattr "} + path);
}

void attach(const unique_fd& tree, const std::string& path) {
  need(::move_mount(tree.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0,
       "move_mount " + path);
}

void mount_at(const char* type, const std::string& path, unsigned long flags = 0,
              const char* data = nullptr) {
  need(::mount(type, path.c_str(), type, flags, data) == 0, "mount " + path);
}

/// Reaped processes may remain in it for a moment.
void await_no_process(const std::string& events) {
  constexpr int longest_ms = 5'000;
  const unique_fd file{::open(events.c_str(), O_RDONLY | O_CLOEXEC)};
  std::array<char, 128> text{};
  for (;;) {
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    if (size < 0) return;
    if (std::string_view{text.data(), static_cast<std::size_t>(size)}.find("populated 0") !=
        std::string_view::npos) {
      return;
    }
    pollfd changed{file.get(), POLLPRI, 0};
    if (::poll(&changed, 1, longest_ms) <= 0) return;
  }
}

/// Uses another systemd than the installed one, from a directory into which its packages were
/// unpacked.
void attach_tree(const std::string& tree) {
  const auto replace = [&](const fs::path& each, const std::string& path) {
    if (!fs::exists(each) || !fs::exists(path)) return;
    const unique_fd mount = detached(each);
    make_read_only(mount.get(), "", AT_EMPTY_PATH);
    attach(mount, path);
  };
  for (const char* usr : {"", "/usr"}) {  // Debian moves them from there to here
    if (fs::exists(tree + usr + "/lib/systemd/systemd")) {
      replace(tree + usr + "/lib/systemd", "/usr/lib/systemd");
    }
    for (const char* name : {"systemctl", "systemd-analyze"}) {
      replace(tree + usr + "/bin/" + name, std::string{"/usr/bin/"} + name);
    }
  }
  for (const auto& each : fs::directory_iterator{tree + "/usr/lib"}) {
    replace(each.path() / "systemd", "/usr/lib" / each.path().filename() / "systemd");
  }
}

/// Its files cannot be removed, only its directories; depth first, as rmdir(2) requires.
void remove_groups(const fs::path& directory) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{directory, ignored}) {
    if (entry.is_directory(ignored)) remove_groups(entry.path());
  }
  ::rmdir(directory.c_str());
}

/// Removes the groups of rooms that were killed before they could do so.
void remove_groups_of_the_dead(const std::string& beside) {
  for (const auto& entry : fs::directory_iterator{beside}) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(group_prefix)) continue;
    const auto owner = name.substr(group_prefix.size());
    if (!fs::exists("/proc/" + owner)) remove_groups(entry.path());
  }
}

/// systemd must not be started where it could change the machine.
void verify() {
  for (const char* path : {"/", "/usr", "/etc", "/proc/sys", "/sys", "/dev", "/var", "/home"}) {
    struct statvfs what {};
    need(::statvfs(path, &what) == 0, std::string{"statvfs "} + path);
    if ((what.f_flag & ST_RDONLY) == 0) throw unavailable{std::string{path} + " is writable"};
  }
  for (const char* path : {"/tmp", "/var/tmp"}) {
    if (!fs::is_empty(path)) throw unavailable{std::string{path} + " is not empty"};
  }
}

}  // namespace

void make_mounts_private() {
  need(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
}

cgroup::cgroup() {
  const bool mounted = ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
  need(mounted || errno == EBUSY, "mount cgroup2");  // it already exists
  std::ifstream ours{"/proc/self/cgroup"};
  std::string line, path;
  while (std::getline(ours, line)) {
    if (line.starts_with("0::")) path = line.substr(3);
  }
  if (path.empty() || path.find("..") != path.npos) throw unavailable{"no cgroup of version 2"};
  const std::string beside = "/sys/fs/cgroup" + (path == "/" ? "" : path) + '/';
  remove_groups_of_the_dead(beside);
  directory_ = beside + std::string{group_prefix} + std::to_string(::getpid());
  std::error_code ec;
  if (!fs::create_directory(directory_, ec)) throw unavailable{directory_ + ": " + ec.message()};
}

cgroup::~cgroup() {
  await_no_process(directory_ + "/cgroup.events");
  remove_groups(directory_);
}

void cgroup::enter() const {
  std::ofstream procs{directory_ + "/cgroup.procs"};
  procs << "0" << std::flush;
  need(procs.good(), directory_);
}

void isolate(const view& what) {
  need(::unshare(CLONE_NEWNS | CLONE_NEWCGROUP) == 0, "mount and cgroup namespaces");
  make_mounts_private();
  const unique_fd build = detached(what.build);
  make_read_only(build.get(), "", AT_EMPTY_PATH);
  unique_fd console;
  if (!what.console.empty()) console = detached(what.console);

  make_read_only(AT_FDCWD, "/", AT_RECURSIVE);
  mount_at("proc", "/proc");
  const unique_fd sysctls = detached("/proc/sys");
  make_read_only(sysctls.get(), "", AT_EMPTY_PATH);
  attach(sysctls, "/proc/sys");
  need(::umount2("/sys/fs/cgroup", MNT_DETACH) == 0, "umount /sys/fs/cgroup");
  mount_at("cgroup2", "/sys/fs/cgroup");  // its root is now our own cgroup

  for (const char* path :
       {"/etc/systemd", "/opt", "/run", "/usr/local/bin", "/var/lib/systemd", "/var/log"}) {
    if (fs::is_directory(path)) mount_at("tmpfs", path, 0, "mode=0755");
  }
  if (!what.systemd.empty()) attach_tree(what.systemd);
  for (const char* path : {"/tmp", "/var/tmp"}) mount_at("tmpfs", path, 0, "mode=1777");
  for (const char* path :
       {"/usr/lib/systemd/system", "/usr/lib/systemd/user", "/usr/lib/systemd/system-generators",
        "/usr/lib/systemd/user-generators", "/usr/lib/tmpfiles.d", "/usr/lib/sysctl.d"}) {
    if (fs::is_directory(path)) mount_at("tmpfs", path, MS_RDONLY);
  }
  verify();

  for (const char* path : {"/etc/systemd/system", "/etc/systemd/user", "/opt/build",
                           "/run/systemd/system", "/run/lock"}) {
    fs::create_directories(path);
  }
  attach(build, "/opt/build");
  if (console && fs::exists("/dev/console")) attach(console, "/dev/console");
}

}  // namespace graceful_systemd
