// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// default_path: prints where a server of this user has its control socket, and whether the kernel
// says that the process is not to trust its environment.
#include <graceful/control_client.hpp>

#include <cstdio>

#include <sys/auxv.h>

int main() {
  std::printf("%s %s\n", graceful::default_control_path("web").c_str(),
              ::getauxval(AT_SECURE) != 0 ? "secure" : "plain");
  return 0;
}
