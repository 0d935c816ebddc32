// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <signal.h>
#include <unistd.h>

namespace graceful_test {

namespace {

process_options with(std::map<std::string, std::string> environment, const std::string& manager) {
  process_options options;
  options.environment = std::move(environment);
  options.environment.emplace("NOTIFY_SOCKET", manager);
  options.environment.emplace("MANAGERPID", std::to_string(::getpid()));
  return options;
}

graceful::os::child spawn(const std::string& output, const std::string& control,
                          const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment,
                          const std::vector<graceful::os::passed_socket>& sockets) {
  auto command = graceful::os::start_command::of_this_process();
  command.file = "/bin/sh";
  command.arguments = {
      "sh",        "-c",   R"(exec "$@" >>"$0" 2>&1)", output, programs::http_server(),
      "--control", control};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  for (const auto& [name, value] : environment) command.set(name, value);
  return graceful::os::child::spawn(command, graceful::os::placement::child, sockets).value();
}

}  // namespace

pid_t parent_of(pid_t pid) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("PPid:")) return std::stoi(line.substr(5));
  }
  return -1;
}

managed_site::managed_site(std::vector<std::string> arguments,
                           std::map<std::string, std::string> environment)
    : manager{place.path("notify")},
      server{std::move(arguments), with(std::move(environment), manager.address())} {}

managed_site::condition managed_site::says(std::string line) {
  return [line = std::move(line)](const notification& n) { return n.has(line); };
}

notification managed_site::await(const condition& what) {
  for (const deadline until{patience};;) {
    auto said = manager.next(until);
    if (what(said)) return said;
    hear(std::move(said));
  }
}

void managed_site::read_rest() {
  while (wait_readable(manager.socket(), deadline{std::chrono::seconds{0}})) {
    hear(manager.next(patience));
  }
}

void managed_site::hear(notification said) {
  if (said.has("BARRIER=1")) said.descriptors.clear();  // which tells that it has been read
  heard.push_back(std::move(said));
}

std::size_t managed_site::said(const std::string& line) const {
  return static_cast<std::size_t>(std::ranges::count_if(heard, says(line)));
}

activated_server::activated_server(const scene& where, const std::string& control,
                                   const std::vector<std::string>& arguments,
                                   const std::map<std::string, std::string>& environment,
                                   const std::vector<graceful::os::passed_socket>& sockets)
    : output_{where.path("output")},
      child_{spawn(output_, control, arguments, environment, sockets)} {}

activated_server::~activated_server() {
  if (ended_) return;
  child_.kill();
  child_.wait(patience);
}

void activated_server::signal(int number) const { ::kill(child_.pid(), number); }

std::string activated_server::wait_exit() {
  if (!wait_readable(child_.pidfd(), deadline{patience})) return "runs";
  const auto how = child_.reap();
  if (!how) return "runs";
  ended_ = true;
  return how->to_string();
}

std::string activated_server::output() const {
  std::ifstream file{output_};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace graceful_test
