// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// reporting_test WAY keep|remove: a deployment that says its directory, and is destroyed then. WAY
// is
//   good          nothing is wrong
//   throws        by an exception
//   failed        where deployment_params::failed says so
//   check_throws  where that throws
#include <graceful/testing.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace graceful::testing;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string way = argv[1];
  try {
    const deployment site{{.command = {std::getenv("HTTP_SERVER"), "--listen", "127.0.0.1:0",
                                       "--control", "{control}", "--probation", "0"},
                           .failed =
                               [&way] {
                                 if (way == "check_throws") throw std::runtime_error{"not now"};
                                 return way == "failed";
                               },
                           .keep_directory = argv[2] == std::string{"keep"}}};
    std::printf("%s\n", site.directory().c_str());
    std::fflush(stdout);
    if (way == "throws") throw std::runtime_error{"of the test"};
  } catch (const std::runtime_error&) {
    return way == "throws" ? 0 : 1;
  }
  return 0;
}
