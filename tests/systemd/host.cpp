// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "host.hpp"

#include "testing/process_table.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <signal.h>

namespace fs = std::filesystem;

namespace graceful_systemd {
namespace {

constexpr int pause_ms = 10;  // systemctl can wait for jobs, but not for a state

std::string from_build(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr)
    throw std::runtime_error{std::string{"run me by meson test: no "} + variable};
  return value;
}

std::string contents(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The value of a line "KEY VALUE".
std::string line_of(const std::string& text, const std::string& key) {
  const auto at = ('\n' + text).find('\n' + key);
  if (at == text.npos) return {};
  const auto begin = at + key.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

int number(const std::string& text) { return text.empty() ? 0 : std::atoi(text.c_str()); }

/// The number in the innermost PID namespace.
pid_t innermost(const std::string& status) {
  const std::string pids = line_of(status, "NSpid:");
  return number(pids.substr(pids.find_last_of(" \t") + 1));
}

}  // namespace

std::string unit_state::to_string() const {
  return active + " (" + sub + "), main pid " + std::to_string(main_pid) + ", " +
         std::to_string(restarts) + " restarts, " + std::to_string(stored) + " stored, result " +
         result + ", status: " + status;
}

std::string host::obstacle() {
  if (!fs::exists("/usr/lib/systemd/systemd")) return "systemd is not installed";
  scene place;
  process& room =
      place.start({from_build("SYSTEMD_ROOM"), from_build("BUILD_DIRECTORY"), "nothing"});
  const auto status = room.wait_exit(patience);
  return status.exited(0) ? "" : status.to_string() + ": " + room.output();
}

host::host(manager kind) : kind_{kind} {
  const std::string name = kind == manager::system ? "system" : "user";
  room_ = &scene_.start({from_build("SYSTEMD_ROOM"), from_build("BUILD_DIRECTORY"), name});
  if (!room_->wait_for_output("up\n", patience)) {
    throw std::runtime_error{"systemd does not start: " + room_->output()};
  }
  init_ = number(line_of(room_->stdout_text(), "init "));
  manager_ = init_;
  if (kind == manager::user) {
    for (const process_entry& each : process_table()) {
      if (each.parent == init_) manager_ = each.pid;
    }
  }
}

host::~host() {
  room_->signal(SIGTERM);
  if (!room_->wait_exit(patience)) std::fprintf(stderr, "systemd_room does not end\n");
}

std::string host::outside(std::string_view path) const {
  return "/proc/" + std::to_string(init_) + "/root" + std::string{path};
}

void host::write(std::string_view path, std::string_view text, unsigned mode) const {
  const std::string name = outside(path);
  fs::create_directories(fs::path{name}.parent_path());
  const std::string fresh = name + ".new";
  if (!(std::ofstream{fresh} << text << std::flush))
    throw std::runtime_error{"cannot write " + fresh};
  fs::permissions(fresh, fs::perms{mode});
  fs::rename(fresh, name);
}

std::string host::read(std::string_view path) const { return contents(outside(path)); }

void host::install_unit(std::string_view name, std::string_view text) {
  write("/etc/systemd/system/" + std::string{name}, text);
  if (const auto told = systemctl({"daemon-reload"}); !told.status.exited(0)) {
    throw std::runtime_error{"daemon-reload: " + told.text};
  }
}

void host::install_program(std::string_view name, std::string_view built) {
  const std::string link = outside("/usr/local/bin/" + std::string{name});
  fs::remove(link + ".new");
  fs::create_symlink("/opt/build/" + std::string{built}, link + ".new");
  fs::rename(link + ".new", link);
}

void host::install_script(std::string_view name, std::string_view text) {
  write("/usr/local/bin/" + std::string{name}, text, 0755);
}

std::vector<std::string> host::inside(std::vector<std::string> command) const {
  std::vector<std::string> all{"/usr/bin/nsenter", "--target", std::to_string(init_),
                               "--mount",          "--pid",    "--"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

finished host::run(std::vector<std::string> command) {
  process& ran =
      scene_.start(inside(std::move(command)),
                   {.environment = {{"XDG_RUNTIME_DIR", "/run/user/test"}}, .directory = "/"});
  const auto status = ran.wait_exit(patience);
  return {status, ran.output()};
}

process& host::start_systemctl(std::vector<std::string> arguments) {
  std::vector<std::string> command{"/usr/bin/systemctl", "--no-pager", "--no-ask-password"};
  if (kind_ == manager::user) command.emplace_back("--user");
  command.insert(command.end(), arguments.begin(), arguments.end());
  return scene_.start(inside(std::move(command)),
                      {.environment = {{"XDG_RUNTIME_DIR", "/run/user/test"}}, .directory = "/"});
}

finished host::systemctl(std::vector<std::string> arguments) {
  process& ran = start_systemctl(std::move(arguments));
  const auto status = ran.wait_exit(patience);
  return {status, ran.output()};
}

std::string host::property(std::string_view unit, std::string_view name) {
  std::string text =
      systemctl({"show", "--value", "--property=" + std::string{name}, std::string{unit}}).text;
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

unit_state host::state(std::string_view unit) {
  const std::string text = systemctl({"show",
                                      "--property=ActiveState,SubState,MainPID,StatusText,"
                                      "NRestarts,NFileDescriptorStore,Result",
                                      std::string{unit}})
                               .text;
  return {.active = line_of(text, "ActiveState="),
          .sub = line_of(text, "SubState="),
          .status = line_of(text, "StatusText="),
          .result = line_of(text, "Result="),
          .main_pid = number(line_of(text, "MainPID=")),
          .restarts = number(line_of(text, "NRestarts=")),
          .stored = number(line_of(text, "NFileDescriptorStore="))};
}

unit_state host::wait_for(std::string_view unit,
                          const std::function<bool(const unit_state&)>& wanted) {
  const deadline until{patience};
  for (;;) {
    auto now = state(unit);
    if (wanted(now) || until.passed()) return now;
    ::poll(nullptr, 0, pause_ms);
  }
}

std::vector<unit_process> host::processes(std::string_view unit) {
  const std::string name = property(unit, "ControlGroup");
  const std::string group = outside("/sys/fs/cgroup") + name;
  std::vector<unit_process> result;
  if (name.empty() || !fs::is_directory(group)) return result;
  std::vector<fs::path> groups{group};
  for (const auto& entry : fs::recursive_directory_iterator{group}) {
    if (entry.is_directory()) groups.push_back(entry.path());
  }
  for (const fs::path& each : groups) {
    std::istringstream pids{contents(each / "cgroup.procs")};
    for (pid_t pid = 0; pids >> pid;) {
      const std::string status = contents("/proc/" + std::to_string(pid) + "/status");
      if (status.empty() || line_of(status, "State:").find('Z') != std::string::npos) continue;
      result.push_back({.pid = innermost(status),
                        .outside = pid,
                        .child_of_manager = number(line_of(status, "PPid:")) == manager_});
    }
  }
  return result;
}

pid_t host::outside_pid(std::string_view unit, pid_t pid) {
  for (const unit_process& each : processes(unit)) {
    if (each.pid == pid) return each.outside;
  }
  return 0;
}

}  // namespace graceful_systemd
