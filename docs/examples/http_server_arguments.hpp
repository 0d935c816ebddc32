// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_EXAMPLES_HTTP_SERVER_ARGUMENTS_HPP
#define GRACEFUL_EXAMPLES_HTTP_SERVER_ARGUMENTS_HPP

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

/// What the command line of http_server says.
struct http_server_arguments {
  std::vector<boost::asio::ip::tcp::endpoint> listen;
  std::string name = "http_server";
  std::string control;
  bool takeover = false;
  bool plain_acceptor = false;
  int threads = 1;
  std::string banner = "hello";
  std::chrono::milliseconds work{0};
  std::chrono::milliseconds idle_grace{1'000};
  std::chrono::milliseconds drain{300'000};
  std::chrono::milliseconds probation{5'000};
  std::size_t max_draining = 8;
  std::chrono::milliseconds ready_timeout{30'000};
  std::chrono::milliseconds handoff_timeout{10'000};
  bool help = false;
};

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws `usage_error`.
http_server_arguments parse_http_server_arguments(int argc, char** argv);

std::string http_server_help();

#endif
