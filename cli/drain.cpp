// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "commands.hpp"
#include "display.hpp"
#include "outcome.hpp"

#include <cstdio>

namespace graceful::cli {

int drain(control_client& client, const arguments& args) {
  display show{args.json, "waiting for the server to stop accepting", args.target};
  const auto last = client.drain(args.now, [&](const drain_progress& p) { show.on(p); });
  if (!show.end()) {
    std::fprintf(stderr,
                 "graceful-ctl: cannot write to standard output; the drain counts all the same\n");
  }
  if (last) return done;
  if (last.error().code == errc::peer_gone) {
    return complain({errc::peer_gone,
                     "the server ended without a last word; its log may say what became of the "
                     "connections"});
  }
  return complain_of_server(last.error());
}

}  // namespace graceful::cli
