// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// However a server was started, its successors are started in the same way.
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <link.h>
#include <signal.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

const strings without_pwd{"/usr/bin/env", "-u", "PWD"};

strings python(const std::string& script) { return {"/usr/bin/python3", "-c", script}; }

/// A server that another program executes: `prefix` gets its command line as arguments.
class odd_start {
 public:
  odd_start() { options_.environment["LD_LIBRARY_PATH"] = programs::libraries(); }

  [[nodiscard]] scene& where() { return where_; }
  [[nodiscard]] std::string path(const std::string& name) const { return where_.path(name); }
  [[nodiscard]] std::string control() const { return where_.path("control.sock"); }
  [[nodiscard]] process_options& options() { return options_; }

  process& start(strings prefix, const std::string& program) {
    prefix.insert(prefix.end(),
                  {program, "--control", control(), "--probation", "0", "--listen", "127.0.0.1:0"});
    server_ = &where_.start(std::move(prefix), options_);
    REQUIRE_MESSAGE(server_->wait_for_output("ready: generation 1 ", patience), server_->output());
    return *server_;
  }

  finished upgrade(const strings& more = {}) {
    return run(where_, joined({programs::graceful_ctl(), "upgrade", control()}, more));
  }

  /// What the kernel says about the serving process: "cwd", "exe".
  fs::path serving(const char* link) {
    const auto text = run(where_, {programs::graceful_ctl(), "status", control(), "--json"}).out;
    constexpr std::string_view key = "\"pid\":";
    const auto pid = std::to_string(std::stol(text.substr(text.find(key) + key.size())));
    return fs::read_symlink("/proc/" + pid + "/" + link);
  }

  /// A copy of the server, which needs the libraries of the build.
  void copy_server(const std::string& to) const {
    fs::copy_file(programs::http_server(), to, fs::copy_options::overwrite_existing);
  }

 private:
  scene where_;
  process_options options_;
  process* server_ = nullptr;
};

/// Releases as deploy tools lay them out: releases/N, and a symbolic link to the current one.
class releases {
 public:
  explicit releases(std::string root) : root_{std::move(root)} { publish(7); }
  releases(const releases&) = delete;
  releases& operator=(const releases&) = delete;
  ~releases() { fs::remove_all(root_); }

  [[nodiscard]] std::string directory(int number) const {
    return fs::canonical(root_).string() + "/releases/" + std::to_string(number);
  }
  [[nodiscard]] std::string current() const { return root_ + "/current"; }

  /// Publishes another release, and removes the one before.
  void publish(int number) {
    fs::create_directories(root_ + "/releases");
    fs::permissions(root_, fs::perms{0755});  // whatever the umask: otherwise links do not count
    fs::create_directories(directory(number) + "/bin");
    fs::create_symlink(programs::http_server(), directory(number) + "/bin/server");
    fs::create_directory_symlink("releases/" + std::to_string(number), root_ + "/next");
    fs::rename(root_ + "/next", current());
    fs::remove_all(directory(number - 1));
  }

 private:
  std::string root_;
};

/// The interpreter of dynamic programs, as this one names it: elf(5).
std::string loader() {
  std::string name;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type != PT_INTERP) continue;
          *static_cast<std::string*>(found) =
              reinterpret_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
        return 1;  // the first is the program itself
      },
      &name);
  return name;
}

}  // namespace

TEST_CASE("a server below a link to the current release starts the next one, whatever PWD says") {
  const strings shell{"/usr/bin/env", "-u", "PWD", "/bin/sh", "-c", "exec \"$@\"", "sh"};
  const strings stale{"/usr/bin/env", "PWD=/", "OLDPWD=/"};
  struct way {
    const char* called;
    strings prefix;
    const char* directory;
    const char* program;
  };
  for (const auto& [name, prefix, directory, program] : {
           way{"absolute program", without_pwd, "", "/bin/server"},
           way{"relative program", without_pwd, "", "bin/server"},
           way{"below the link", without_pwd, "/bin", "./server"},
           way{"absolute program, below the link", without_pwd, "/bin", "/bin/server"},
           way{"stale PWD", stale, "", "bin/server"},
           way{"a shell that sets PWD by itself", shell, "", "bin/server"},
       }) {
    const char* const called = name;  // clang 14 cannot capture a structured binding
    CAPTURE(called);
    odd_start s;
    releases app{s.path("app")};
    s.options().directory = app.current() + directory;
    s.start(prefix, program[0] == '/' ? app.current() + program : program);
    for (const int release : {8, 9}) {
      app.publish(release);
      const auto done = s.upgrade();
      CHECK_MESSAGE(done.status == "exited 0", done.all);
      CHECK(s.serving("cwd") == app.directory(release) + directory);
    }
  }
}

TEST_CASE("a successor is told through which link its directory was reached") {
  odd_start s;
  releases app{s.path("app")};
  s.options().directory = app.current();
  s.start(without_pwd, "bin/server");
  // A second link keeps it from finding out the right one by itself.
  fs::create_directory_symlink(app.directory(7), s.path("app/stable"));
  const auto log = s.path("app/log");
  const auto failed = s.upgrade({"--", "/usr/bin/env", "sh", "-c", "echo $PWD >" + log});
  CHECK(failed.status == "exited 1");
  std::string told;
  std::getline(std::ifstream{log}, told);
  CHECK(told == app.current());
}

TEST_CASE("if a server's directory is gone, the operator is told so, and can name another") {
  odd_start s;
  fs::create_directory(s.path("here"));
  s.options().directory = s.path("here");
  s.start(without_pwd, programs::http_server());
  fs::remove(s.path("here"));
  const auto failed = s.upgrade();
  CHECK(failed.status == "exited 1");
  CHECK_MESSAGE(contains(failed.all, "in the directory " + s.path("here") +
                                         ", which cannot be entered: No such file or directory"),
                failed.all);
  CHECK(contains(failed.all, "--directory"));
  const auto done = s.upgrade({"--directory", "/"});
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  CHECK(s.serving("cwd") == "/");
  // This is its directory from then on.
  CHECK(s.upgrade().status == "exited 0");
  CHECK(s.serving("cwd") == "/");
}

TEST_CASE(
    "a server that was executed by a descriptor is restarted by its path, with the current file") {
  odd_start s;
  s.copy_server(s.path("server"));
  s.start(python("import os, sys; os.execve(os.open(sys.argv[1], os.O_RDONLY), sys.argv[1:], "
                 "os.environ)"),
          s.path("server"));
  s.copy_server(s.path("next"));
  fs::rename(s.path("next"), s.path("server"));
  for (int i = 0; i < 2; ++i) {
    const auto done = s.upgrade();
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    CHECK(s.serving("exe") == fs::canonical(s.path("server")));
  }
}

TEST_CASE("a server whose file is gone, or never existed, is restarted from what it executes") {
  const char* from_memory =
      "import os, sys; f = os.memfd_create('server'); "
      "os.write(f, open(sys.argv[1], 'rb').read()); os.execve(f, sys.argv[1:], os.environ)";
  const char* removed =
      "import os, sys; f = os.open(sys.argv[1], os.O_RDONLY); os.unlink(sys.argv[1]); "
      "os.execve(f, sys.argv[1:], os.environ)";
  for (const char* script : {from_memory, removed}) {
    odd_start s;
    s.copy_server(s.path("server"));
    s.start(python(script), s.path("server"));
    fs::remove(s.path("server"));
    for (int i = 0; i < 2; ++i) {
      const auto done = s.upgrade();
      CHECK_MESSAGE(done.status == "exited 0", done.all);
      CHECK(s.serving("exe").string().ends_with(" (deleted)"));
    }
  }
}

TEST_CASE("a server that was started by the dynamic loader is started that way again") {
  odd_start s;
  s.start({loader(), "--argv0", "odd"}, programs::http_server());
  for (int i = 0; i < 2; ++i) {
    const auto done = s.upgrade();
    CHECK_MESSAGE(done.status == "exited 0", done.all);
    CHECK(s.serving("exe") == fs::canonical(loader()));
  }
}

TEST_CASE("signals that a server was started with blocked or ignored do what operators expect") {
  const auto unwilling = python(
      "import os, signal, sys; four = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, "
      "signal.SIGUSR2]; signal.pthread_sigmask(signal.SIG_BLOCK, four); "
      "[signal.signal(each, signal.SIG_IGN) for each in four]; os.execv(sys.argv[1], "
      "sys.argv[1:])");
  for (const int number : {SIGTERM, SIGINT, SIGQUIT}) {
    CAPTURE(number);
    odd_start s;
    process& server = s.start(unwilling, programs::http_server());
    REQUIRE(server.signal(SIGUSR2));
    REQUIRE(server.wait_for_output("ready: generation 2 ", patience));
    CHECK(server.wait_exit(patience).exited(0));
    const auto heir = s.where().living();
    REQUIRE(heir.size() == 1);
    REQUIRE(send_signal(open_pidfd(heir.front()), number));
    CHECK(s.where().wait_all_gone(patience));
  }
}

TEST_CASE("a supervisor that was started with signals blocked still passes them on") {
  scene where;
  auto command = python(
      "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); "
      "[signal.signal(each, signal.SIG_DFL) for each in [signal.SIGPIPE, signal.SIGXFSZ]]; "
      "os.execv(sys.argv[1], sys.argv[1:])");
  command.insert(command.end(),
                 {programs::graceful_ctl(), "run", "--control", where.path("control.sock"), "--",
                  "/bin/sh", "-c", "grep SigIgn: /proc/self/status; exec sleep 1000"});
  process& supervisor = where.start(command);
  REQUIRE(supervisor.wait_for_output("SigIgn:\t0000000000000000\n", patience));
  REQUIRE(supervisor.signal(SIGTERM));
  CHECK(supervisor.wait_exit(patience).exited(128 + SIGTERM));
}

TEST_CASE("a server in a directory with a Latin-1 name can be asked, even after a failure") {
  odd_start s;
  const auto directory = s.path("gr\xfcn");
  fs::create_directory(directory);
  s.copy_server(directory + "/server");
  s.options().directory = directory;
  process& server = s.start({}, directory + "/server");
  fs::rename(directory + "/server", directory + "/kept");
  fs::create_directory(directory + "/server");  // which cannot be executed
  const auto failed = s.upgrade();
  INFO(failed.all);
  CHECK(failed.status == "exited 1");
  const auto status = run(s.where(), {programs::graceful_ctl(), "status", s.control()});
  INFO(status.all);
  CHECK(status.status == "exited 0");
  CHECK(contains(status.out, "the last upgrade failed: "));
  fs::remove(directory + "/server");
  fs::rename(directory + "/kept", directory + "/server");
  CHECK(s.upgrade().status == "exited 0");
  CHECK(server.wait_exit(patience).exited(0));
}
