// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/supervisor_client.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::cli {

/// A directory in which servers of a user have their control sockets by default.
struct control_directory {
  std::string path;
  uid_t user;
};

/// The directories that this process may look into: those of its own user; for root, those of all
/// users who have one below `run` (/run/user) or `tmp` (/tmp). Leaves out directories to which
/// other users can write too, as their contents could be anybody's.
std::vector<control_directory> control_directories(const std::string& run = "/run/user",
                                                   const std::string& tmp = "/tmp");

/// A server's control socket, or a supervisor's, in such a directory.
struct listed_server {
  std::string name;  // of the file; a TARGET uses it
  std::string path;
  uid_t user{};
  bool supervised = false;  // the supervisor's socket exists
};

/// Sorted by name.
std::vector<listed_server> servers_in(const control_directory& where);

/// What a server and its supervisor have answered.
struct answering_server {
  listed_server where;
  result<server_status> server;
  std::optional<result<supervisor_status>> supervisor;  // none: no supervisor
};

/// Asks all at the same time: each for `deadline`, and all together for four times that.
std::vector<answering_server> ask(const std::vector<listed_server>& servers,
                                  std::chrono::milliseconds deadline);

/// A table for people. Shows users only if one of them is not `self`.
std::string describe(const std::vector<answering_server>& servers, uid_t self);

/// An object for a program, in one line.
std::string to_json(const answering_server& each);

}  // namespace graceful::cli
