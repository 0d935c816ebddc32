// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "commands.hpp"
#include "outcome.hpp"
#include "report.hpp"

namespace graceful::cli {

int monitor(control_client client, const std::string& path, const arguments& args) {
  for (;;) {
    bool printed = true;
    const auto last = client.monitor([&](const server_event& event) {
      printed = printed && print_or_fail(args.json ? event.json + '\n' : describe(event)) == done;
    });
    if (!printed) return failed;
    if (last && last->event == "ended") return done;
    if (!last && last.error().code != errc::peer_gone) return complain_of_server(last.error());
    // The server has handed over or died: a successor answers at the same path.
    const auto deadline = args.timeout.value_or(default_deadline);
    auto next = control_client::connect(path, deadline);
    while (!next && next.error().code == errc::not_ready) {  // the successor is about to answer
      next = control_client::connect(path, deadline);
    }
    if (!next) return complain_of_server(next.error());
    client = std::move(*next);
  }
}

}  // namespace graceful::cli
