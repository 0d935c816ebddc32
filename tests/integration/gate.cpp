// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"

#include <graceful/unique_fd.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful_test {

namespace {

void await(process& server, const char* text) {
  if (server.wait_for_output(text, patience)) return;
  throw std::runtime_error{"the gated server does not start: " + server.output()};
}

}  // namespace

gate::gate(scene& where) : path_{where.path("gate")} {
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error{"mkfifo failed"};
}

std::vector<std::string> gate::server(const std::string& control, std::uint16_t port) const {
  return {programs::gated_server(), control, std::to_string(port), path_};
}

std::vector<std::string> gate::upgrade(const server_fixture& s) const {
  return joined({programs::graceful_ctl(), "upgrade", s.control(), "--timeout", "60", "--"},
                server(s.control(), s.port()));
}

process& gate::start_upgrade(server_fixture& s) const { return s.scene().start(upgrade(s)); }

void gate::open() const { say("open\n"); }

void gate::give_up() const { say("give up\n"); }

void gate::say(std::string_view line) const {
  const auto is_heard = [&] {
    // A blocking open would hang if the server has died.
    const graceful::unique_fd fd{::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    return fd && ::write(fd.get(), line.data(), line.size()) > 0;
  };
  if (!eventually(is_heard, patience)) throw std::runtime_error{"nobody waits at the gate"};
}

gated_site::gated_site(std::vector<std::string> prefix, const std::vector<std::string>& more,
                       process_options options)
    : server{where.start(joined(joined(std::move(prefix), opening.server(control, 0)), more),
                         std::move(options))} {
  await(server, "gate: initialising");
}

void gated_site::open() {
  opening.open();
  await(server, "gate: ready as generation 1");
}

finished gated_site::ctl(std::vector<std::string> arguments) {
  return run(where, command(std::move(arguments)));
}

process& gated_site::start_ctl(std::vector<std::string> arguments) {
  return where.start(command(std::move(arguments)));
}

std::vector<std::string> gated_site::command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), programs::graceful_ctl());
  arguments.insert(arguments.begin() + 2, control);
  return arguments;
}

}  // namespace graceful_test
