// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server_list.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view socket_ending = ".sock";
constexpr std::string_view supervisor_ending = ".sock.supervisor";

/// However many files a user puts into a directory, root gets an answer.
constexpr std::size_t most_entries = 4'096;
constexpr std::size_t most_servers = 256;

/// At the same time.
constexpr std::size_t most_asked = 16;

constexpr int times_of_all = 4;  // The deadline for all servers, in deadlines of one.

/// The user whose number is `text`.
std::optional<uid_t> user_of(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 10 &&
                      text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return {};
  return static_cast<uid_t>(std::stoul(std::string{text}));
}

bool is_private_to(uid_t user, const std::string& directory) {
  struct stat status {};
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == user && (status.st_mode & 022) == 0;
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

/// The names in a directory that begin with `prefix`; none if it cannot be read.
std::vector<std::string> names_in(const std::string& directory, std::string_view prefix = {}) {
  std::vector<std::string> names;
  std::error_code ec;
  fs::directory_iterator each{directory, ec};
  for (const fs::directory_iterator end; !ec && each != end && names.size() < most_entries;
       each.increment(ec)) {
    auto name = each->path().filename().string();
    if (name.starts_with(prefix)) names.push_back(std::move(name));
  }
  return names;
}

template <class Client>
auto status_of(const std::string& path, std::chrono::milliseconds deadline)
    -> decltype(std::declval<Client&>().status()) {
  auto client = Client::connect(path, deadline);
  if (!client) return client.error();
  return client->status();
}

}  // namespace

std::vector<control_directory> control_directories(const std::string& run, const std::string& tmp) {
  const uid_t self = ::geteuid();
  const auto own = fs::path{default_control_path("x")}.parent_path().string();
  std::vector<control_directory> all;
  if (is_private_to(self, own)) all.push_back({own, self});
  if (self != 0) return all;
  const auto add = [&](const std::string& directory, std::optional<uid_t> user) {
    if (user && is_private_to(*user, directory)) all.push_back({directory, *user});
  };
  for (const auto& name : names_in(run)) {
    add(std::string{run}.append("/").append(name).append("/graceful"), user_of(name));
  }
  constexpr std::string_view prefix = "graceful-";
  for (const auto& name : names_in(tmp, prefix)) {
    add(std::string{tmp}.append("/").append(name),
        user_of(std::string_view{name}.substr(prefix.size())));
  }
  return all;
}

std::vector<listed_server> servers_in(const control_directory& where) {
  std::map<std::string, listed_server> found;
  for (const auto& file : names_in(where.path)) {
    const bool supervisor = file.ends_with(supervisor_ending);
    const auto ending = supervisor ? supervisor_ending : socket_ending;
    if (file.starts_with('.') || !file.ends_with(ending) || file.size() == ending.size() ||
        found.size() >= most_servers || !is_socket(where.path + '/' + file)) {
      continue;
    }
    const auto name = file.substr(0, file.size() - ending.size());
    auto& server = found[name];
    server.name = name;
    server.path = where.path + '/' + name + std::string{socket_ending};
    server.user = where.user;
    server.supervised = server.supervised || supervisor;
  }
  std::vector<listed_server> all;
  all.reserve(found.size());
  for (auto& [name, server] : found) all.push_back(std::move(server));
  return all;
}

std::vector<answering_server> ask(const std::vector<listed_server>& servers,
                                  std::chrono::milliseconds deadline) {
  std::vector<answering_server> answers;
  answers.reserve(servers.size());
  for (const auto& server : servers) answers.push_back({server, failure{}, {}});
  std::atomic<std::size_t> next{0};
  // A server that hangs delays no other, and many of them delay the answer by no more than this.
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + deadline * times_of_all;
  const auto left = [&] {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    return std::clamp(rest, std::chrono::milliseconds{0}, deadline);
  };
  const auto work = [&] {
    for (std::size_t i = next++; i < answers.size(); i = next++) {
      auto& each = answers[i];
      each.server = status_of<control_client>(each.where.path, left());
      if (!each.where.supervised) continue;
      auto said = status_of<supervisor_client>(default_supervisor_path(each.where.path), left());
      // Its socket was left behind.
      if (said || said.error().code != errc::not_running) each.supervisor = std::move(said);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(most_asked, answers.size()); ++i) {
      workers.emplace_back(work);
    }
  }
  return answers;
}

}  // namespace graceful::cli
