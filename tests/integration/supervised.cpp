// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervised.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace graceful_test {

std::vector<std::string> notifying_server(const std::vector<std::string>& arguments) {
  return joined(programs::python("notifying_server.py"), arguments);
}

supervised::supervised(std::vector<std::string> command, std::vector<std::string> options,
                       process_options how)
    : control_{scene_.path("control.sock")}, socket_{control_ + ".supervisor"} {
  assemble(command, std::move(options));
  start(std::move(how));
}

supervised::supervised(contained where, std::vector<std::string> command,
                       std::vector<std::string> options, process_options how)
    : control_{where.beside != nullptr ? where.beside->control() : scene_.path("control.sock")},
      socket_{scene_.path("supervisor")} {
  command_line_ = in_container;
  options.insert(options.end(), {"--socket", socket_});
  assemble(command, std::move(options));
  start(std::move(how));
}

supervised::supervised(const supervised& other, std::vector<std::string> command,
                       process_options how)
    : control_{other.control()}, socket_{scene_.path("supervisor")} {
  assemble(command, {"--socket", socket_});
  start(std::move(how));
}

void supervised::assemble(const std::vector<std::string>& command,
                          std::vector<std::string> options) {
  command_line_.insert(command_line_.end(),
                       {programs::graceful_ctl(), "run", "--control", control()});
  const auto by_default = [&](const char* option, const char* value) {
    if (std::find(options.begin(), options.end(), option) != options.end()) return;
    command_line_.insert(command_line_.end(), {option, value});
  };
  by_default("--restart-delay", "0.01");
  by_default("--max-restart-delay", "0.01");
  by_default("--max-failures", "0");
  command_line_.insert(command_line_.end(), options.begin(), options.end());
  command_line_.emplace_back("--");
  for (const std::string& word : command) {
    command_line_.push_back(word == "{control}" ? control() : word);
  }
}

std::vector<std::string> supervised::http() { return http_command("{control}"); }

process& supervised::start(process_options how) {
  supervisor_ = &scene_.start(command_line_, std::move(how));
  return *supervisor_;
}

graceful::supervisor_status supervised::status() const {
  return graceful::supervisor_client::connect(socket(), patience).value().status().value();
}

graceful::supervisor_status supervised::wait(
    const std::function<bool(const graceful::supervisor_status&)>& wanted) const {
  graceful::supervisor_status now;
  const auto is_there = [&] {  // a supervisor tells no events
    auto client = graceful::supervisor_client::connect(socket(), patience);
    const auto status = client ? client->status() : client.error();
    if (status) now = *status;
    return status && wanted(now);
  };
  if (eventually(is_there, patience)) return now;
  throw std::runtime_error{"the supervisor does not get there: " + supervisor_->output()};
}

pid_t supervised::wait_main(std::int64_t before) const {
  const auto status = wait([before](const graceful::supervisor_status& s) {
    return s.state == "serving" && s.main_pid && *s.main_pid != before;
  });
  return static_cast<pid_t>(*status.main_pid);
}

std::uint16_t supervised::port() {
  if (!supervisor_->wait_for_output("listening on ", patience)) {
    throw std::runtime_error{"the server does not start: " + supervisor_->output()};
  }
  constexpr std::string_view line = "listening on ";
  for (const deadline until{patience}; !until.passed();) {
    const std::string text = supervisor_->stdout_text();
    const auto at = text.find(line);
    const auto end = text.find('\n', at);
    if (at == text.npos || end == text.npos) continue;
    const std::string address = text.substr(at + line.size(), end - at - line.size());
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  throw std::runtime_error{"the server does not say where it listens"};
}

finished supervised::ctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), programs::graceful_ctl());
  return run(scene_, std::move(arguments));
}

load_report supervised_under_load::never_refused(int kills) {
  auto seen = at_work.stop();
  INFO(seen.to_string(), supervisor().output());
  CHECK(seen.refused == 0);
  CHECK(seen.timed_out == 0);
  CHECK(seen.lost() <= static_cast<std::uint64_t>(clients * kills));
  return seen;
}

void supervised_under_load::reset_nobody() {
  const auto seen = at_work.stop();
  INFO(seen.to_string(), supervisor().output());
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
}

}  // namespace graceful_test
