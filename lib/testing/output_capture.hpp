// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/process.hpp>
#include <graceful/unique_fd.hpp>

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace graceful::testing {

/// Reads what processes write to their standard output and standard error, so that they never block
/// on a full pipe.
class output_capture {
 public:
  enum class writers {
    mixed,       ///< Through pipes.
    told_apart,  ///< Through Unix sockets: the kernel names the writer (SO_PASSCRED, unix(7)).
  };

  explicit output_capture(writers of);
  output_capture(const output_capture&) = delete;
  output_capture& operator=(const output_capture&) = delete;
  ~output_capture();

  /// The ends for the child: standard output and standard error.
  [[nodiscard]] std::array<int, 2> child_ends() const;

  /// Call it once the child has been started, so that end-of-file can be seen.
  void close_child_ends();

  /// False at the deadline, or when no process is left that could write it.
  bool wait_for(std::string_view needle, deadline until);

  // What has been written until now.
  [[nodiscard]] std::string both();  ///< In the order of arrival.
  [[nodiscard]] std::string standard_output();
  [[nodiscard]] std::vector<output_piece> pieces();

 private:
  struct stream {
    graceful::unique_fd read_end, write_end;
    std::string text;
    bool ended = false;
  };

  void read_until_stopped();
  void drain();  // call with mutex_ held
  ssize_t receive(stream& from, std::vector<char>& into, pid_t& writer) const;

  std::array<stream, 2> streams_;
  std::string both_;
  const writers writers_;
  std::vector<output_piece> pieces_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  graceful::unique_fd stop_;
  std::jthread reader_;
};

}  // namespace graceful::testing
