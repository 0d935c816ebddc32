// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/peer.hpp"

#include "os/at_start.hpp"
#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/proc.hpp"
#include "os/process_identity.hpp"
#include "os/socket_option.hpp"
#include "os/spare_descriptors.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr int so_peerpidfd = 77;  // Linux 6.5; older headers lack it

/// The capabilities that a program executed by this process can have. For root these are all in its
/// bounding set, even those that it has dropped itself (capabilities(7)).
std::uint64_t own_permitted() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return ~std::uint64_t{0};
  auto all = data[0].permitted | std::uint64_t{data[1].permitted} << 32U;
  const int bits = ::prctl(PR_GET_SECUREBITS);
  if (::geteuid() != 0 || bits < 0 || (static_cast<unsigned>(bits) & SECBIT_NOROOT) != 0)
    return all;
  all |= data[0].inheritable | std::uint64_t{data[1].inheritable} << 32U;
  for (int one = 0; one < 64 && ::prctl(PR_CAPBSET_READ, one) >= 0; ++one) {
    if (::prctl(PR_CAPBSET_READ, one) == 1) all |= std::uint64_t{1} << static_cast<unsigned>(one);
  }
  return all;
}

std::string uid_map_of(const std::string& process) {
  return whole_file("/proc/" + process + "/uid_map");
}

std::string namespace_of(const std::string& process) {
  return link_target("/proc/" + process + "/ns/user");
}

/// The kernel does not show the namespace of a process that has more rights. Then the map decides:
/// read in the numbers of this process's namespace, it is the same in another namespace only if a
/// process with even more rights made that one.
bool is_in_own_user_namespace(const std::string& process) {
  const auto theirs = namespace_of(process);
  if (!theirs.empty() && theirs != namespace_of("self")) return false;
  const auto map = uid_map_of(process);
  return !map.empty() && map == uid_map_of("self");
}

/// A set-id program, or one with file capabilities, does not speak for the user who executed it:
/// its files in /proc then belong to root.
bool is_of(uid_t user, const process_status& status, const std::string& process) {
  struct stat itself {};
  return status.user == user && status.effective_user == user && status.saved_user == user &&
         ::stat(("/proc/" + process).c_str(), &itself) == 0 && itself.st_uid == user;
}

constexpr std::uint64_t default_overflow = 65'534;

std::uint64_t overflow_id(const char* path) {
  std::istringstream file{whole_file(path)};
  std::uint64_t id = 0;
  return file >> id ? id : default_overflow;
}

/// None without /proc.
std::optional<bool> is_mapped_here(const char* map, std::uint64_t id) {
  std::ifstream file{map};
  if (!file.is_open()) return {};
  return is_mapped(std::string{std::istreambuf_iterator<char>{file}, {}}, id);
}

/// is_one_user(), for a group.
bool is_one_group(gid_t group) {
  if (group != overflow_id("/proc/sys/kernel/overflowgid")) return true;
  return is_mapped_here("/proc/self/gid_map", group).value_or(true);
}

}  // namespace

std::optional<peer> peer::of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  return peer{credentials.pid, credentials.uid, credentials.gid};
}

bool peer::trusted(trust whom) const {
  if (!is_one_user(uid)) return false;
  const bool by_root = whom == trust::operators && ::geteuid() == 0;
  const bool in_group = !is_set_group_id() || (gid == ::getegid() && is_one_group(gid));
  return (uid == ::geteuid() && in_group) || uid == 0 || by_root;
}

unique_fd peer_pidfd(int socket) {
  if (unique_fd held{spare_descriptors::with(
          [socket] { return socket_option(socket, SOL_SOCKET, so_peerpidfd).value_or(-1); })}) {
    return held;
  }
  if (errno != ENOPROTOOPT) return {};
  const auto who = peer::of(socket);
  return who ? open_pidfd(who->pid) : unique_fd{};
}

bool peer_has_ended(int socket) {
  if (const auto held = socket_option(socket, SOL_SOCKET, so_peerpidfd)) {
    return is_readable(unique_fd{*held}.get());
  }
  if (errno == ESRCH || errno == EINVAL) return true;  // it has been reaped
  // The number may belong to another process by now: nothing is known then.
  const auto who = peer::of(socket);
  if (!who || who->pid <= 0) return false;
  const auto pidfd = open_pidfd(who->pid);
  return pidfd ? is_readable(pidfd.get()) : errno == ESRCH;
}

bool needs_no_rights() { return own_permitted() == 0; }

bool has_rights_of_this(const peer& who, int pidfd) {
  const auto needed = own_permitted();
  if (needed == 0) return true;
  if (who.pid <= 0 || pidfd < 0) return false;
  const auto process = std::to_string(who.pid);
  const auto status = process_status::of(who.pid, pidfd);
  const bool has_all = status && (status->permitted & needed) == needed &&
                       is_of(who.uid, *status, process) && is_in_own_user_namespace(process);
  return has_all && is_held(pidfd);
}

bool is_mapped(std::string_view map, std::uint64_t id) {
  std::istringstream lines{std::string{map}};
  for (std::uint64_t inside = 0, outside = 0, count = 0; lines >> inside >> outside >> count;) {
    if (id >= inside && id - inside < count) return true;
  }
  return false;
}

bool is_one_user(uid_t user) {
  if (user == static_cast<uid_t>(-1)) return false;
  if (user != overflow_id("/proc/sys/kernel/overflowuid")) return true;
  if (const auto mapped = is_mapped_here("/proc/self/uid_map", user)) return *mapped;
  // ESRCH if no process belongs to that user, as with one that has no number here.
  errno = 0;
  (void)::getpriority(PRIO_USER, user);
  return errno == 0;
}

bool is_own_user(uid_t user) { return user == ::geteuid() && is_one_user(user); }

}  // namespace graceful::os
