// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include "testing/process_table.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <signal.h>

namespace graceful_systemd {
namespace {

std::string example(const std::string& name) {
  const char* directory = std::getenv("EXAMPLES");
  if (directory == nullptr) throw std::runtime_error{"run me by meson test: no EXAMPLES"};
  std::ifstream file{std::string{directory} + '/' + name};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.empty()) throw std::runtime_error{name + " is not there"};
  return text;
}

constexpr std::uint64_t some_of_one = 20;  // generation

http_load http(std::uint16_t port, bool keep_alive) {
  http_load what;
  what.port = port;
  what.keep_alive = keep_alive;
  what.connections = both_loads::clients_of_each;
  return what;
}

}  // namespace

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

service::service(const service_params& params) : kind_{params.kind}, host_{params.kind} {
  host_.install_program("http_server", "docs/examples/http_server");
  host_.install_program("graceful-ctl", "cli/graceful-ctl");
  host_.write("/etc/systemd/system/http_server.service.d/test.conf",
              "[Service]\nEnvironment=\"HTTP_SERVER_OPTIONS=" + params.options +
                  "\"\nStandardOutput=append:/run/output\nStandardError=append:/run/output\n" +
                  params.drop_in + "\n");
  if (params.by_socket) {
    host_.write(
        "/etc/systemd/system/http_server.socket.d/test.conf",
        "[Socket]\nListenStream=\nListenStream=127.0.0.1:" + std::to_string(params.port) + '\n');
    host_.install_unit(socket_unit, example(socket_unit));
  }
  host_.install_unit(unit, example(unit));
}

unit_process service::main() {
  const auto now = state();
  for (const unit_process& each : processes()) {
    if (each.pid == now.main_pid) return each;
  }
  throw std::runtime_error{"no main process: " + now.to_string()};
}

bool service::signal(pid_t outside, int number) {
  const auto pidfd = open_pidfd(outside);
  return pidfd && send_signal(pidfd, number);
}

bool service::wait_gone(pid_t outside) {
  const auto pidfd = open_pidfd(outside);
  return !pidfd || wait_readable(pidfd.get(), patience);
}

std::string service::control() const {
  return (kind_ == manager::system ? "/run" : "/run/user/test") +
         std::string{"/http_server/control"};
}

graceful::server_status service::server() {
  return graceful::control_client::connect(host_.outside(control()), patience)
      .value()
      .status()
      .value();
}

std::uint16_t service::port() {
  const std::string address = server().listeners.at(0).address;
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

std::string service::report() {
  return "--- unit\n" + state().to_string() + "\n--- its output\n" + host_.read("/run/output") +
         "\n--- systemd\n" + host_.log();
}

both_loads::both_loads(std::uint16_t port) : kept_{http(port, true)}, closing_{http(port, false)} {}

bool both_loads::go_on() {
  constexpr std::uint64_t some = 50;
  const deadline until{patience};
  return kept_.wait_for(some, until) && closing_.wait_for(some, until);
}

bool both_loads::reach_by_new_connections(std::uint64_t generation) {
  return closing_.wait_for_generation(generation, some_of_one, patience);
}

bool both_loads::reach(std::uint64_t generation) {
  const deadline until{patience};
  return kept_.wait_for_generation(generation, some_of_one, until) &&
         closing_.wait_for_generation(generation, some_of_one, until);
}

both_loads::totals both_loads::stop() {
  totals all;
  for (load* each : {&kept_, &closing_}) {
    const load_report seen = each->stop();
    all.ok += seen.ok;
    all.lost += seen.lost();
    all.refused += seen.refused;
    all.timed_out += seen.timed_out;
    all.latest += seen.served_by_latest();
    all.text += seen.to_string();
  }
  return all;
}

held_connection::held_connection(std::uint16_t port)
    : connection_{resolve("127.0.0.1", port, patience), 0} {
  connection_.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  connection_.send("GET / HTTP/1.1\r\n");
}

std::uint64_t held_connection::finish() {
  return connection_.exchange("Host: test\r\n\r\n").generation;
}

}  // namespace graceful_systemd
