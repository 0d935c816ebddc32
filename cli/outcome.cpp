// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "outcome.hpp"

#include <graceful/errc.hpp>

#include "terminal.hpp"

#include <array>
#include <cstdio>

#include <unistd.h>

namespace graceful::cli {

namespace {

/// True if the system refused it, not our own check of users; its message does not say what to do.
bool is_forbidden(const failure& why) {
  return why.code == boost::system::errc::permission_denied ||
         why.code == boost::system::errc::operation_not_permitted;
}

/// What an error means for the command; the next step stands where the message does not name it.
struct consequence {
  errc code;
  exit_code exit = failed;
  const char* next_step = "";
};

constexpr std::array<consequence, 8> consequences{{
    {errc::invalid_argument, bad_usage},
    {errc::permission_denied, denied},
    {errc::not_running, absent, "; start it, or name another"},
    {errc::busy, busy},
    {errc::not_ready, busy},
    {errc::timed_out, failed, "; it may be stopped or overloaded: look at its process"},
    {errc::peer_gone, failed, "; its log may say why"},
    {errc::no_upgrade, failed, "; see who serves: graceful-ctl status"},
}};

consequence consequence_of(const failure& why) {
  for (const auto& each : consequences) {
    if (why.code == each.code) return each;
  }
  if (is_forbidden(why)) return {{}, denied};  // complain() says what to do
  const bool ours = why.code.category() == graceful_category();
  return {{}, failed, ours ? "" : "; look at the server's process and log"};
}

}  // namespace

int complain(const failure& why) {
  const std::string remedy =
      is_forbidden(why) ? "; use the user that the server runs as, or root" : "";
  const std::string message =
      paint("graceful-ctl: " + why.message + remedy, tone::failure, style_of(STDERR_FILENO));
  std::fprintf(stderr, "%s\n", message.c_str());
  return consequence_of(why).exit;
}

int complain_of_server(const failure& why) {
  return complain({why.code, why.message + consequence_of(why).next_step});
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
