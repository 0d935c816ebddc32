// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// systemd_room BUILD-DIRECTORY system|user|nothing
//
// Runs systemd in a PID namespace, with its own mounts, cgroups and host name, but in the network
// of the caller: as the first process, as a user's manager, or does not, to see whether it could.
// Says "init PID" when the first process is started, and "up" when systemd is. SIGTERM ends it,
// with all that it has started. Exit code 77: not possible here.
#include <graceful/unique_fd.hpp>

#include "isolation.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

using graceful::unique_fd;
using namespace graceful_systemd;

namespace {

constexpr int skipped = 77;

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::system_category(), what};
}

/// Abstract names are not private, because the network is not.
class notify_socket {
 public:
  notify_socket()
      : name_{"graceful-test-room-" + std::to_string(::getpid())},
        fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) fail("bind");
  }

  [[nodiscard]] int get() const { return fd_.get(); }
  [[nodiscard]] std::string name() const { return '@' + name_; }

  /// True if it has sent this since the last call.
  [[nodiscard]] bool said(std::string_view assignment) const {
    std::array<char, 4096> text{};
    bool found = false;
    for (ssize_t size = 0; (size = ::recv(fd_.get(), text.data(), text.size(), 0)) >= 0;) {
      const std::string lines =
          '\n' + std::string{text.data(), static_cast<std::size_t>(size)} + '\n';
      found = found || lines.find('\n' + std::string{assignment} + '\n') != lines.npos;
    }
    return found;
  }

 private:
  std::string name_;
  unique_fd fd_;
};

/// A terminal whose other end nobody uses.
struct terminal {
  unique_fd outer{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
  unique_fd inner;  // held open, so that it does not hang up
  std::array<char, 64> name{};

  terminal() {
    if (!outer || ::grantpt(outer.get()) != 0 || ::unlockpt(outer.get()) != 0 ||
        ::ptsname_r(outer.get(), name.data(), name.size()) != 0) {
      fail("a terminal");
    }
    inner.reset(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!inner) fail(name.data());
  }

  /// False when no process has the inner end any more.
  bool copy_to_standard_error() const {
    std::array<char, 4096> text{};
    const ssize_t size = ::read(outer.get(), text.data(), text.size());
    if (size > 0) std::cerr.write(text.data(), size).flush();
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
  }
};

/// The targets that every unit refers to, and one to start.
void write_targets() {
  const std::string directory = "/etc/systemd/system/";
  for (const char* name :
       {"basic", "multi-user", "network-online", "shutdown", "sockets", "sysinit"}) {
    std::ofstream{directory + name + ".target"} << "[Unit]\nDefaultDependencies=no\n";
  }
  std::ofstream{directory + "room.target"}
      << "[Unit]\nDefaultDependencies=no\nRequires=basic.target sysinit.target sockets.target\n";
}

void execute(const std::string& kind, const std::string& notify) {
  std::vector<std::string> words{
      "/usr/lib/systemd/systemd", "--" + kind,        "--unit=room.target",
      "--log-target=console",     "--log-level=info", "--show-status=no",
  };
  std::vector<std::string> variables{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "container=graceful-test",
      "HOME=/run/home",
      "XDG_RUNTIME_DIR=/run/user/test",
      "SYSTEMD_UNIT_PATH=/etc/systemd/system",
      "SYSTEMD_GENERATOR_PATH=/run/generators",
      "SYSTEMD_LOG_COLOR=0",
      "NOTIFY_SOCKET=" + notify,
  };
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& each : texts) result.push_back(each.data());
    result.push_back(nullptr);
    return result;
  };
  ::execve(words.front().c_str(), pointers(words).data(), pointers(variables).data());
  std::fprintf(stderr, "systemd_room: %s: %s\n", words.front().c_str(), std::strerror(errno));
}

/// Reaps every child until systemd ends: a user's manager cannot be the first process.
int be_init_of(pid_t systemd) {
  for (int status = 0;;) {
    const pid_t ended = ::wait(&status);
    if (ended == systemd) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (ended < 0 && errno != EINTR) return 1;
  }
}

/// Drops the privileges that namespaces do not contain: over the clock, the machine, and kernel
/// modules.
void give_up_privileges() {
  for (const int each : {CAP_SYS_BOOT, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME}) {
    if (::prctl(PR_CAPBSET_DROP, each) != 0) fail("prctl");
  }
}

/// The first process of the namespace.
int begin(const view& what, const cgroup& ours, const std::string& kind,
          const std::string& notify) {
  ours.enter();
  isolate(what);
  if (kind == "nothing") return 0;
  write_targets();
  for (const char* path : {"/run/home", "/run/user", "/run/user/test"}) ::mkdir(path, 0700);
  give_up_privileges();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (kind == "user") {
    if (const pid_t pid = ::fork(); pid != 0) return be_init_of(pid);
  }
  execute(kind, notify);
  return skipped;
}

unique_fd termination() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return unique_fd{::signalfd(-1, &wanted, SFD_CLOEXEC)};
}

/// Runs until the manager ends, or SIGTERM comes.
void watch(const unique_fd& manager, const unique_fd& termination, const notify_socket& notify,
           const terminal& console) {
  std::array<pollfd, 4> entries{pollfd{manager.get(), POLLIN, 0},
                                {termination.get(), POLLIN, 0},
                                {notify.get(), POLLIN, 0},
                                {console.outer.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) fail("poll");
    if (entries[3].revents != 0 && !console.copy_to_standard_error()) entries[3].fd = -1;
    if (entries[2].revents != 0 && notify.said("READY=1")) std::cout << "up" << std::endl;
    if (entries[0].revents != 0 || entries[1].revents != 0) return;
  }
}

int run(const std::string& build, const std::string& kind) {
  const unique_fd end = termination();
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) fail("prctl");
  if (::geteuid() != 0) throw unavailable{"namespaces need root"};
  if (::unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) != 0) {
    throw unavailable{std::string{"unshare: "} + std::strerror(errno)};
  }
  make_mounts_private();
  const cgroup ours;
  const notify_socket notify;
  const terminal console;

  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      const char* const tree = std::getenv("SYSTEMD_TREE");
      ::_exit(begin(
          {.build = build, .systemd = tree == nullptr ? "" : tree, .console = console.name.data()},
          ours, kind, notify.name()));
    } catch (const std::exception& e) {
      std::fprintf(stderr, "systemd_room: %s\n", e.what());
      ::_exit(skipped);
    }
  }
  const unique_fd manager{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (!manager) fail("pidfd_open");
  std::cout << "init " << pid << std::endl;
  watch(manager, end, notify, console);
  ::syscall(SYS_pidfd_send_signal, manager.get(), SIGKILL, nullptr, 0);
  int status = 0;
  ::waitpid(pid, &status, 0);  // returns when all others of the namespace have ended
  console.copy_to_standard_error();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 3 ? argv[2] : "";
  if (kind != "system" && kind != "user" && kind != "nothing") {
    std::cerr << "usage: systemd_room BUILD-DIRECTORY system|user|nothing\n";
    return 2;
  }
  try {
    return run(argv[1], kind);
  } catch (const unavailable& e) {
    std::cerr << "systemd_room: " << e.what() << '\n';
    return skipped;
  } catch (const std::exception& e) {
    std::cerr << "systemd_room: " << e.what() << '\n';
    return 1;
  }
}
