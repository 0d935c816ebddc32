// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A program that tests/consumer/run compiles with other settings than the library: must not link.
#include <graceful.hpp>

#include <boost/asio/io_context.hpp>

int main() {
  boost::asio::io_context io;
  graceful::upgrader up{io, {.name = "mismatch"}};
}
