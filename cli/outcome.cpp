// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "outcome.hpp"

#include <graceful/errc.hpp>

#include "terminal.hpp"

#include <cstdio>

#include <unistd.h>

namespace graceful::cli {

namespace {

/// True if the system refused it, not our own check of users; its message does not say what to do.
bool is_forbidden(const failure& why) {
  return why.code == boost::system::errc::permission_denied ||
         why.code == boost::system::errc::operation_not_permitted;
}

int exit_code_of(const failure& why) {
  if (why.code == errc::invalid_argument) return bad_usage;
  if (why.code == errc::permission_denied || is_forbidden(why)) return denied;
  if (why.code == errc::not_running) return absent;
  if (why.code == errc::busy || why.code == errc::not_ready) return busy;
  return failed;
}

/// The next step, where the message does not name it.
std::string next_step(const failure& why) {
  if (why.code == errc::not_running) return "; start it, or name another";
  if (why.code == errc::timed_out) return "; it may be stopped or overloaded: look at its process";
  if (why.code == errc::peer_gone) return "; its log may say why";
  if (why.code == errc::no_upgrade) return "; see who serves: graceful-ctl status";
  if (is_forbidden(why)) return {};  // complain() says it
  if (why.code.category() != graceful_category()) return "; look at the server's process and log";
  return {};
}

}  // namespace

int complain(const failure& why) {
  const std::string remedy =
      is_forbidden(why) ? "; use the user that the server runs as, or root" : "";
  const std::string message =
      paint("graceful-ctl: " + why.message + remedy, tone::failure, style_of(STDERR_FILENO));
  std::fprintf(stderr, "%s\n", message.c_str());
  return exit_code_of(why);
}

int complain_of_server(const failure& why) {
  return complain({why.code, why.message + next_step(why)});
}

int conclude(const result<void>& outcome, bool json) {
  if (!outcome) return complain_of_server(outcome.error());
  return json ? print_or_fail("{}\n") : done;
}

int print_or_fail(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return done;
  std::fprintf(stderr,
               "graceful-ctl: cannot write to standard output; see where it goes, and try again\n");
  return failed;
}

}  // namespace graceful::cli
