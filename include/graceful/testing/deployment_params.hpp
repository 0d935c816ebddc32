// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_DEPLOYMENT_PARAMS_HPP
#define GRACEFUL_TESTING_DEPLOYMENT_PARAMS_HPP

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace graceful::testing {

/// The server that a `deployment` starts, and how it is watched.
struct deployment_params {
  /// Program and arguments. In them, and in the values of the environment, {directory} stands for
  /// the deployment's own directory, and {control} for the path of the control socket in it, which
  /// the server has to use. Have it listen on port 0.
  std::vector<std::string> command{};

  std::map<std::string, std::string> environment{};  ///< Added to that of the test.

  /// How long the server, and every wait that names no other deadline, may take. Only a test that
  /// fails takes as long. Default: 30 s.
  std::chrono::milliseconds patience{30'000};

  /// What a server holds at rest is known when it has been the same for so long. Default: 500 ms.
  std::chrono::milliseconds rest{500};

  /// Has the test failed? Asked when the deployment is destroyed: if so, its report is printed on
  /// standard error. Default (empty): no. A deployment that an exception destroys prints it anyway.
  std::function<bool()> failed{};

  /// Leave the directory, and name it, where the report is printed. Default: false.
  bool keep_directory = false;
};

}  // namespace graceful::testing

#endif
