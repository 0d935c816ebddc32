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
  /// the server has to use. Make the server listen on port 0.
  std::vector<std::string> command{};

  std::map<std::string, std::string> environment{};  ///< Added to the test's.

  /// How long the server, and every wait that names no other deadline, may take. Only a failing
  /// test takes as long. Default: 30 s.
  std::chrono::milliseconds patience{30'000};

  /// A server counts as at rest when its resources have stayed the same for this long. Default: 500
  /// ms.
  std::chrono::milliseconds rest{500};

  /// Tells whether the test has failed. Called when the deployment is destroyed: if so, its report
  /// is printed on standard error. Default (empty): no. A deployment that an exception destroys
  /// prints it anyway.
  std::function<bool()> failed{};

  /// Whether to keep the directory, and name it, when the report is printed. Default: false.
  bool keep_directory = false;
};

}  // namespace graceful::testing

#endif
