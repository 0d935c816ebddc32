// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/process.hpp>

#include "testing/output_capture.hpp"
#include "testing/owned_children.hpp"
#include "testing/process_table.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

/// The status of a process that was reaped elsewhere; no process can exit with it.
constexpr int unknown = -1;

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) {
    std::string variable = name;
    variable.append("=").append(value);
    result.push_back(std::move(variable));
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Runs between fork and exec. The test has threads, so nothing here may allocate or lock; signals
/// stay blocked until no handler of the test is left. Returns with errno set if something fails.
void become(char* const* argv, char* const* environment, const process_options& options,
            std::array<int, 2> outputs, pid_t parent) {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0) return;
  if (::dup2(outputs[0], 1) < 0 || ::dup2(outputs[1], 2) < 0) return;
  if (const int terminal = options.terminal.value_or(-1); terminal >= 0) {
    if (::setsid() < 0 || ::ioctl(terminal, TIOCSCTTY, 0) != 0) return;
    for (int standard = 0; standard < 3; ++standard) {
      if (::dup2(terminal, standard) < 0) return;
    }
  }
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return;

  if (options.descriptor_limit) {
    const rlimit limit{*options.descriptor_limit, *options.descriptor_limit};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  }
  if (options.user) {
    const uid_t user = *options.user;
    if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
        ::setresuid(user, user, user) != 0) {
      return;
    }
  }
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) return;

  // A change of user resets it, so it is set only now. The parent may have died before.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (::getppid() != parent) ::_exit(127);
  ::execvpe(argv[0], argv, environment);
}

pid_t spawn(std::vector<std::string> argv, const process_options& options,
            std::array<int, 2> outputs) {
  std::vector<std::string> environment = merged_environment(options.environment);
  const auto argv_pointers = pointers(argv);
  const auto environment_pointers = pointers(environment);
  std::array<int, 2> report;
  if (::pipe2(report.data(), O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::system_category(), "pipe2"};
  }
  const graceful::unique_fd read_end{report[0]};
  graceful::unique_fd write_end{report[1]};

  const pid_t parent = ::getpid();
  const pid_t pid = fork_owned_child();
  if (pid < 0) throw std::system_error{errno, std::system_category(), "fork"};
  if (pid == 0) {
    become(argv_pointers.data(), environment_pointers.data(), options, outputs, parent);
    const int error = errno;
    [[maybe_unused]] const auto told = ::write(write_end.get(), &error, sizeof error);
    ::_exit(127);
  }

  // Close-on-exec closes the other end once the program runs.
  write_end.reset();
  int error = 0;
  ssize_t told = 0;
  do told = ::read(read_end.get(), &error, sizeof error);
  while (told < 0 && errno == EINTR);
  if (told == sizeof error) {
    reap_owned_child(pid);
    throw std::system_error{error, std::system_category(), argv[0]};
  }
  return pid;
}

}  // namespace

std::string exit_status::to_string() const {
  if (what_ == what::running) return "still running";
  if (value_ == unknown) return "ended";
  return (what_ == what::signalled ? "signalled " : "exited ") + std::to_string(value_);
}

process::process(std::vector<std::string> argv, const process_options& options)
    : program_{argv.at(0)},
      outputs_{std::make_unique<output_capture>(options.attribute_output
                                                    ? output_capture::writers::told_apart
                                                    : output_capture::writers::mixed)},
      pid_{spawn(std::move(argv), options, outputs_->child_ends())},
      pidfd_{open_pidfd(pid_)} {
  const int error = errno;  // of open_pidfd()
  outputs_->close_child_ends();
  if (!pidfd_) {
    ::kill(pid_, SIGKILL);  // the pid has not been reaped, so it cannot be another process's
    reap_owned_child(pid_);
    throw std::system_error{error, std::system_category(), "pidfd_open"};
  }
}

process::~process() {
  signal(SIGKILL);
  wait_exit(std::chrono::seconds{10});
}

bool process::running() const {
  return !exit_ && !wait_readable(pidfd_.get(), std::chrono::seconds{0});
}

bool process::signal(int number) { return !exit_ && send_signal(pidfd_, number); }

bool process::stop() {
  siginfo_t info{};
  return signal(SIGSTOP) &&
         ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
         info.si_code == CLD_STOPPED;
}

exit_status process::wait_exit(deadline until) {
  if (!exit_ && wait_readable(pidfd_.get(), until)) {
    const auto how = reap_owned_child(pid_);
    exit_ =
        how ? exit_status{how->si_code != CLD_EXITED, how->si_status} : exit_status{false, unknown};
  }
  return exit_;
}

bool process::wait_for_output(std::string_view needle, deadline until) {
  return outputs_->wait_for(needle, until);
}

std::string process::output() { return outputs_->both(); }

std::string process::stdout_text() { return outputs_->standard_output(); }

std::vector<output_piece> process::pieces_of_output() { return outputs_->pieces(); }

bool process::owns(pid_t pid) { return owns_child(pid); }

}  // namespace graceful::testing
