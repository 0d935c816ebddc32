// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/child.hpp"

#include "notify_socket.hpp"
#include "server_fixture.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful_test {

/// A process's parent, according to the kernel; -1 if there is no such process.
pid_t parent_of(pid_t pid);

/// A server whose service manager is the test.
struct managed_site {
  explicit managed_site(std::vector<std::string> arguments = {},
                        std::map<std::string, std::string> environment = {});

  using condition = std::function<bool(const notification&)>;

  /// It has sent exactly this line.
  static condition says(std::string line);

  /// Reads until the awaited notification comes, and returns it; throws if it does not come.
  notification await(const condition& what);

  /// Reads what has arrived.
  void read_rest();

  /// The number of notifications with this line, without those that `await` has returned.
  [[nodiscard]] std::size_t said(const std::string& line) const;

  scene place;
  notify_socket manager;
  std::vector<notification> heard;
  server_fixture server;

 private:
  void hear(notification said);
};

/// A server that is started with sockets, as by a service manager; ends with this object.
class activated_server {
 public:
  activated_server(const scene& where, const std::string& control,
                   const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment,
                   const std::vector<graceful::os::passed_socket>& sockets);
  activated_server(const activated_server&) = delete;
  activated_server& operator=(const activated_server&) = delete;
  ~activated_server();

  [[nodiscard]] pid_t pid() const { return child_.pid(); }
  void signal(int number) const;
  std::string wait_exit();
  /// Its output so far.
  [[nodiscard]] std::string output() const;

 private:
  std::string output_;
  graceful::os::child child_;
  bool ended_ = false;
};

}  // namespace graceful_test
