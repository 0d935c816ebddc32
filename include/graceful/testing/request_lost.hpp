// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_REQUEST_LOST_HPP
#define GRACEFUL_TESTING_REQUEST_LOST_HPP

#include <string>

namespace graceful::testing {

/// How a request was lost.
enum class loss {
  refused,    ///< No process listens.
  reset,      ///< The server reset it, at any time between connecting and the end of the reply.
  cut_short,  ///< The server closed before the reply was complete, or before it began.
  timed_out,
  other,  ///< A malformed or unexpected reply, or an error of this machine.
};

/// Thrown by functions that talk to a server; its connection is of no use any more.
struct request_lost {
  loss how;
  std::string why;
};

}  // namespace graceful::testing

#endif
