// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// endless_test: deploys, keeps the predecessor draining by a connection, says the pids of both and
// the directory, and waits to be killed.
#include <graceful/testing.hpp>

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

using namespace graceful::testing;

int main() {
  deployment site{{.command = {std::getenv("HTTP_SERVER"), "--listen", "127.0.0.1:0", "--control",
                               "{control}", "--probation", "0"}}};
  http_connection held{resolve("127.0.0.1", site.port(), site.patience()), 0};
  held.exchange("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  held.send("GET / HTTP/1.1\r\n");
  if (!site.upgrade().committed()) return 1;
  std::printf("%d %d %s\n", site.pid(1), site.pid(2), site.directory().c_str());
  std::fflush(stdout);
  for (;;) ::pause();
}
