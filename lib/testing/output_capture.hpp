// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_OUTPUT_CAPTURE_HPP
#define GRACEFUL_LIB_TESTING_OUTPUT_CAPTURE_HPP

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace graceful::testing {

/// Reads what processes write to two pipes, their standard output and standard error, so that
/// they never block on a full one.
class output_capture {
 public:
  output_capture();
  output_capture(const output_capture&) = delete;
  output_capture& operator=(const output_capture&) = delete;
  ~output_capture();

  /// The ends for the child: standard output and standard error.
  [[nodiscard]] std::array<int, 2> child_ends() const;

  /// Once the child has been started, so that end-of-file can come.
  void close_child_ends();

  /// False at the deadline, or when nobody is left to write it.
  bool wait_for(std::string_view needle, deadline until);

  // What has been written up to this call.
  [[nodiscard]] std::string both();  ///< In the order of arrival.
  [[nodiscard]] std::string standard_output();

 private:
  struct stream {
    graceful::unique_fd read_end, write_end;
    std::string text;
    bool ended = false;
  };

  void read_until_stopped();
  void drain();  // with mutex_ held

  std::array<stream, 2> streams_;
  std::string both_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  graceful::unique_fd stop_;
  std::jthread reader_;
};

}  // namespace graceful::testing

#endif
