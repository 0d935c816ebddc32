// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_REQUEST_LOST_HPP
#define GRACEFUL_TESTING_REQUEST_LOST_HPP

#include <string>

namespace graceful::testing {

/// How a request was lost.
enum class loss {
  refused,    ///< Nobody listens.
  reset,      ///< By the server, at any time between connecting and the end of the reply.
  cut_short,  ///< Closed by the server before the reply was complete, or before it began.
  timed_out,
  other,  ///< A reply that is malformed or not the one wanted, or an error of this machine.
};

/// Thrown by what speaks to a server; its connection is of no use any more.
struct request_lost {
  loss how;
  std::string why;
};

}  // namespace graceful::testing

#endif
