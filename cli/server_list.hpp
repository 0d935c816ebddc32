// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_SERVER_LIST_HPP
#define GRACEFUL_CLI_SERVER_LIST_HPP

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

/// Those that this process may look into: of its own user; root's, of all users that have one below
/// `run` (/run/user) or `tmp` (/tmp). A directory of which the user is not the only one to write to
/// it is left out, as what is in it may be anybody's.
std::vector<control_directory> control_directories(const std::string& run = "/run/user",
                                                   const std::string& tmp = "/tmp");

/// A control socket, or a supervisor's, that is in such a directory.
struct listed_server {
  std::string name;  // of the file, which is how a TARGET names it
  std::string path;
  uid_t user{};
  bool supervised = false;  // the supervisor's socket is there
};

/// Sorted by name.
std::vector<listed_server> servers_in(const control_directory& where);

/// What a server, and its supervisor, have answered.
struct answering_server {
  listed_server where;
  result<server_status> server;
  std::optional<result<supervisor_status>> supervisor;  // none: there is none
};

/// Asks all at the same time; each for `deadline`, and four times that in all.
std::vector<answering_server> ask(const std::vector<listed_server>& servers,
                                  std::chrono::milliseconds deadline);

/// A table for people: the user only if one is another than `self`.
std::string describe(const std::vector<answering_server>& servers, uid_t self);

/// An object for a program, in a line.
std::string to_json(const answering_server& each);

}  // namespace graceful::cli

#endif
