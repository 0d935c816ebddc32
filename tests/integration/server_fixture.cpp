// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server_fixture.hpp"

#include <graceful/control_client.hpp>

#include "kit_servers.hpp"
#include "possible.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <poll.h>

namespace graceful_test {

namespace {

graceful::result<graceful::server_status> asked(const std::string& control) {
  auto client = graceful::control_client::connect(control, patience);
  if (!client) return client.error();
  return client->status();
}

}  // namespace

std::string programs::http_server() { return from_build("HTTP_SERVER"); }
std::string programs::pool_server() { return from_build("POOL_SERVER"); }
std::string programs::graceful_ctl() { return from_build("GRACEFUL_CTL"); }
std::string programs::gated_server() { return from_build("GATED_SERVER"); }
std::string programs::shaped_server() { return from_build("SHAPED_SERVER"); }
std::string programs::forking_server() { return from_build("FORKING_SERVER"); }
std::string programs::libraries() {
  return std::filesystem::path{http_server()}.parent_path() / "../../lib";
}
std::vector<std::string> programs::python(const char* name) {
  return {"/usr/bin/python3", from_build("INTEROP") + '/' + name};
}

finished run(scene& where, std::vector<std::string> argv, process_options options) {
  process& p = where.start(std::move(argv), std::move(options));
  const auto status = p.wait_exit(patience);
  return {status.to_string(), p.stdout_text(), p.output()};
}

std::vector<std::string> behind_dashes(std::vector<std::string> command) {
  command.insert(command.begin(), "--");
  return command;
}

pid_t spawned_pid(process& ctl) {
  constexpr std::string_view words = "spawned pid ";
  if (!ctl.wait_for_output(words, patience)) {
    throw std::runtime_error{"no successor is spawned: " + ctl.output()};
  }
  const std::string text = ctl.output();
  return std::stoi(text.substr(text.find(words) + words.size()));
}

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> http_command(const std::string& control) {
  return {programs::http_server(), "--control",   control, "--listen",
          "127.0.0.1:0",           "--probation", "0"};
}

std::vector<std::string> at_port(std::vector<std::string> command, std::uint16_t port) {
  std::replace(command.begin(), command.end(), std::string{"127.0.0.1:0"},
               "127.0.0.1:" + std::to_string(port));
  return command;
}

server_fixture shaped(const std::string& shape, std::vector<std::string> more) {
  return server_fixture{joined({"--shape", shape}, more), {}, programs::shaped_server()};
}

bool can_run(const std::vector<std::string>& prefix, const std::string& what,
             const std::vector<std::string>& program) {
  scene where;
  const auto done = run(where, joined(prefix, program));
  return is_possible(done.status == "exited 0", what + " cannot be had here (" + done.all + ")");
}

http_connection hold_on(std::uint16_t port) {
  http_connection connection{resolve("127.0.0.1", port, patience), 0};
  connection.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  connection.send("GET / HTTP/1.1\r\n");
  return connection;
}

http_connection hold_by(std::uint64_t generation, std::uint16_t port) {
  for (const deadline until{patience}; !until.passed();) {
    http_connection connection{resolve("127.0.0.1", port, patience), 0};
    const auto reply = connection.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    if (reply.generation != generation) continue;
    connection.send("GET / HTTP/1.1\r\n");
    return connection;
  }
  throw std::runtime_error{"generation " + std::to_string(generation) + " does not accept"};
}

bool serves_alone(std::uint64_t generation, const server_fixture& s) {
  constexpr std::uint64_t enough = 50;
  for (const deadline until{patience}; !until.passed();) {
    load fresh{s.load_on(false)};
    if (!fresh.wait_for(enough, patience)) return false;
    const auto seen = fresh.stop();
    if (seen.lost() > 0) return false;
    if (seen.by_generation.size() == 1 && seen.by_generation.contains(generation)) return true;
  }
  return false;
}

server_fixture::server_fixture(std::vector<std::string> arguments, process_options options,
                               const std::string& program) {
  command_ = {program, "--control", control()};
  const auto by_default = [&](const char* option, const char* value) {
    if (std::find(arguments.begin(), arguments.end(), option) != arguments.end()) return;
    command_.insert(command_.end(), {option, value});
  };
  by_default("--probation", "0");
  by_default("--listen", "127.0.0.1:0");
  command_.insert(command_.end(), arguments.begin(), arguments.end());
  if (const auto threads = std::find(arguments.begin(), arguments.end(), "--threads");
      threads != arguments.end()) {
    threads_ = std::stoul(*std::next(threads));
  }
  server_ = &scene_.start(command_, std::move(options));
  if (!server_->wait_for_output("ready: generation 1 ", patience)) {
    throw std::runtime_error{"the server does not start: " + server_->output()};
  }
  const std::string text = server_->stdout_text();
  constexpr std::string_view line = "listening on ";
  for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) {
    const auto end = text.find('\n', at);
    const auto colon = text.rfind(':', end);
    ports_.push_back(
        static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1, end - colon - 1))));
  }
}

finished server_fixture::ctl(std::vector<std::string> arguments, process_options options) {
  return run(scene_, joined({programs::graceful_ctl()}, arguments), std::move(options));
}

process& server_fixture::start_ctl(std::vector<std::string> arguments) {
  return scene_.start(joined({programs::graceful_ctl()}, arguments));
}

finished server_fixture::upgrade(std::vector<std::string> more) {
  return ctl(joined({"upgrade", control()}, more));
}

finished server_fixture::status(std::vector<std::string> more) {
  return ctl(joined({"status", control()}, more));
}

bool server_fixture::status_comes_to_say(const std::string& text) {
  return eventually([&] { return contains(status().out, text); }, patience);
}

process& server_fixture::start_upgrade(std::vector<std::string> more) {
  return start_ctl(joined({"upgrade", control()}, more));
}

census server_fixture::at_rest(pid_t generation) {
  const deadline until{patience};
  for (census before;;) {
    const auto now = take_census(generation);
    // The control socket and the listeners; the serving threads and the library's own. The same
    // twice, because UBSan sometimes opens a pipe for a moment; TSan has its own thread. And no
    // pidfd of a predecessor whose connection has ended, but which has not.
    const bool watches = std::any_of(now.listing.begin(), now.listing.end(),
                                     [](const auto& held) { return contains(held, "pidfd"); });
    const bool quiet = now.sockets == ports_.size() + 1 && now.threads >= threads_ + 1 && !watches;
    if (quiet && now == before) return now;
    before = now;
    if (until.passed()) throw std::runtime_error{"the server does not rest: " + now.to_string()};
    ::poll(nullptr, 0, 5);  // /proc has no events
  }
}

std::int64_t server_fixture::generation() const {
  const auto now = asked(control());
  return now ? static_cast<std::int64_t>(now->generation) : -1;
}

pid_t server_fixture::pid() const {
  const auto now = asked(control());
  return now ? static_cast<pid_t>(now->pid) : -1;
}

http_connection server_fixture::hold() const { return hold_on(port()); }

http_load server_fixture::load_on(bool keep_alive) const {
  http_load options;
  options.port = port();
  options.keep_alive = keep_alive;
  return options;
}

}  // namespace graceful_test
