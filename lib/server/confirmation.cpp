// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/confirmation.hpp"

#include <graceful/duration_text.hpp>

#include "control/await.hpp"

#include <string>
#include <utility>

namespace graceful {

void confirmation::ask(bool must_listen, callbacks on) {
  callbacks_ = std::move(on);
  must_listen_ = must_listen;
  asked_ = true;
  call_after(deadline_, patience_, [this] {
    if (asked_) give_up();
  });
  roll_.call([this] { decide(); });
}

void confirmation::stop() {
  asked_ = false;
  deadline_.cancel();
  roll_.dismiss();
}

void confirmation::decide() {
  if (!asked_ || roll_.under_way() || (must_listen_ && !inventory_.listens())) return;
  stop();
  callbacks_.serves();
}

void confirmation::give_up() {
  const std::string time = duration_text(patience_);
  const std::string why =
      roll_.under_way()
          ? "its threads do not answer: what was posted to an executor on which it accepts has not "
            "run for " +
                time
          : "it has called listen for none of the sockets it was handed, " + time +
                " after it was asked to confirm that it serves";
  stop();
  callbacks_.does_not(why);
}

}  // namespace graceful
