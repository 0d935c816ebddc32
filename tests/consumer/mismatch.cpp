// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A program that was built with other settings of Asio than the library: must not link.
#define BOOST_ASIO_DISABLE_EPOLL
#include <graceful.hpp>

#include <boost/asio/io_context.hpp>

int main() {
  boost::asio::io_context io;
  graceful::upgrader up{io, {.name = "mismatch"}};
}
