// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor.hpp>
#include <graceful/supervisor_client.hpp>

#include "commands.hpp"
#include "outcome.hpp"
#include "report.hpp"

#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace graceful::cli {

namespace {

std::string supervisor_path(const std::string& control_path, const arguments& args) {
  return args.socket.empty() ? default_supervisor_path(control_path) : args.socket;
}

template <class Client>
result<std::string> said_by(result<Client> client, const arguments& args) {
  if (!client) return client.error();
  const auto status = client->status();
  if (!status) return status.error();
  return args.json ? status->json + '\n' : describe(*status);
}

}  // namespace

int run_server(const arguments& args) {
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    ::fcntl(standard, F_SETFD, 0);  // even those that main() has opened in place of closed ones
  }
  try {
    supervisor s{args.supervise};
    return s.run();
  } catch (const error& e) {
    return complain({e.code(), e.what()});
  }
}

int status(const std::string& path, const arguments& args) {
  const auto deadline = args.timeout.value_or(default_deadline);
  const auto server = said_by(control_client::connect(path, deadline), args);
  auto found = supervisor_client::connect(supervisor_path(path, args), deadline);
  const bool supervised = found.has_value();
  const auto supervisor = said_by(std::move(found), args);
  // If one of them hangs, the other may know why.
  std::string all = server ? *server : "";
  if (!server && supervisor && !args.json && server.error().code == errc::not_running) {
    all = "no server answers at " + path + '\n';
  }
  if (supervisor) all += *supervisor;
  const int printed = print_or_fail(all);
  if (printed != done) return printed;
  if (!server && (!supervised || server.error().code != errc::not_running)) {
    return complain_of_server(server.error());
  }
  if (supervisor || (!supervised && args.socket.empty())) return done;
  return complain_of_server({supervisor.error().code, "supervisor: " + supervisor.error().message});
}

int reexec(const std::string& path, const arguments& args) {
  auto supervisor = supervisor_client::connect(supervisor_path(path, args),
                                               args.timeout.value_or(default_deadline));
  if (!supervisor && supervisor.error().code == errc::not_running) {
    return complain({errc::not_running, "no supervisor is running at " +
                                            supervisor_path(path, args) +
                                            "; start one: graceful-ctl run"});
  }
  if (!supervisor) return complain_of_server(supervisor.error());
  const auto done = supervisor->reexec();
  if (!done && done.error().code == errc::peer_gone) {
    return complain(
        {done.error().code,
         "the new program of the supervisor has failed; the server keeps serving without "
         "one, start another: graceful-ctl run"});
  }
  return conclude(done, args.json);
}

}  // namespace graceful::cli
