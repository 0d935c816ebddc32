// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/manager_process.hpp"

#include "os/channel.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"

#include <chrono>

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

namespace graceful::os {

namespace {

std::string process_text(pid_t pid) { return std::to_string(pid) + ' ' + own_pid_space(); }

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// The process that called listen(2) there, according to the kernel; 0 if none answers.
pid_t listener_at(const std::string& path) {
  constexpr std::chrono::milliseconds enough{200};
  const auto connection = connect_unix(path, after(enough));
  const auto who = connection ? peer::of(connection->get()) : std::nullopt;
  return who ? who->pid : 0;
}

}  // namespace

std::string own_process_text() { return process_text(::getpid()); }

bool manager_process::is_parent() const {
  const pid_t parent = ::getppid();
  if (parent <= 0) return false;  // it lives in another PID namespace
  if (!supervisor.empty()) return supervisor == process_text(parent);
  if (!socket.empty()) return listener_at(socket) == parent;
  if (user_manager == std::to_string(parent)) return true;
  return parent == 1 && (executed == std::to_string(::getpid()) || is_directory(booted));
}

}  // namespace graceful::os
