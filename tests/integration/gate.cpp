// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <sys/stat.h>

namespace graceful_test {

gate::gate(scene& where) : path_{where.path("gate")} {
  if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error{"mkfifo failed"};
}

std::vector<std::string> gate::server(const std::string& control, std::uint16_t port) const {
  return {programs::gated_server(), control, std::to_string(port), path_};
}

std::vector<std::string> gate::upgrade(const site& s) const {
  std::vector<std::string> argv{
      programs::graceful_ctl(), "upgrade", s.control(), "--timeout", "60", "--"};
  const auto command = server(s.control(), s.port());
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

void gate::open() const { std::ofstream{path_} << "open\n"; }

}  // namespace graceful_test
