// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Has each system call of a supervisor fail, one life of a supervisor for each: it starts a server,
// starts it again when that is killed, executes itself again, and is told to end. See
// docs/design.md.
#include <graceful/supervisor_client.hpp>

#include "point.hpp"
#include "testing/fault_variable.hpp"
#include "testing/scene.hpp"

#include <boost/program_options.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <signal.h>

namespace po = boost::program_options;
using namespace graceful_stress;
using namespace graceful::testing;

namespace {

constexpr std::chrono::seconds patience{20};

struct programs {
  std::string supervisor;
  std::string server;
};

/// The result of one life.
struct life {
  std::vector<std::string> broken;  ///< Broken promises, one sentence each.
  bool refused = false;  ///< The supervisor did not start, or did not go on, and said why.
  std::string struck;    ///< The kind of the call that failed.
  std::string output;
};

class trial {
 public:
  trial(const programs& of, fault_injector& faults, const std::optional<fault>& armed)
      : faults_{faults},
        control_{scene_.path("control.sock")},
        supervisor_{scene_.start(command(of), options(armed))} {}

  life run() {
    try {
      live();
    } catch (const std::exception& e) {
      broken(std::string{"all goes on; instead: "} + e.what());
    }
    const auto hit = faults_.fired(supervisor_.pid(), std::chrono::seconds{0});
    if (hit) seen_.struck = hit->call;
    seen_.output = supervisor_.output();
    return std::move(seen_);
  }

  [[nodiscard]] call_counts calls() { return faults_.calls(supervisor_.pid()).by_kind; }

 private:
  [[nodiscard]] std::vector<std::string> command(const programs& of) const {
    return {of.supervisor,
            "run",
            "--control",
            control_,
            "--restart-delay",
            "0.01",
            "--max-restart-delay",
            "0.01",
            "--",
            of.server,
            "--control",
            control_,
            "--listen",
            "127.0.0.1:0",
            "--probation",
            "0"};
  }

  [[nodiscard]] process_options options(const std::optional<fault>& armed) const {
    process_options how{.environment = faults_.environment()};
    if (armed) how.environment.insert(variable_for(*armed));
    return how;
  }

  void broken(std::string what) { seen_.broken.push_back(std::move(what)); }

  /// The pid of the newest server; 0 if none is ready before the supervisor ends.
  pid_t next_server() {
    const std::string mark = "ready: generation 1 pid ";
    const deadline until{patience};
    while (!until.passed()) {
      const auto text = supervisor_.output();
      std::size_t at = 0;
      for (std::size_t i = 0; i <= servers_ && at != text.npos; ++i) {
        at = text.find(mark, i == 0 ? 0 : at + 1);
      }
      const auto end = at == text.npos ? text.npos : text.find('\n', at);
      if (end != text.npos) {
        ++servers_;
        return std::atoi(text.c_str() + at + mark.size());
      }
      if (supervisor_.wait_exit(deadline{std::chrono::milliseconds{5}})) return 0;
    }
    broken("a server is ready, or the supervisor has ended");
    return 0;
  }

  void live() {
    const pid_t first = next_server();
    if (first == 0) return started_nothing();
    ::kill(first, SIGKILL);
    if (next_server() == 0) return broken("a server that was killed is started again");
    if (!execute_again()) return;
    ask();
    supervisor_.signal(SIGTERM);
    const auto how = supervisor_.wait_exit(patience);
    if (!how.exited(0)) broken("a supervisor that is told to end exits 0; it: " + how.to_string());
    if (!scene_.wait_all_gone(patience)) broken("nothing is left behind");
  }

  void started_nothing() {
    if (!seen_.broken.empty()) return;
    const auto how = supervisor_.wait_exit(patience);
    seen_.refused = true;
    if (!says_why(how)) {
      broken("a supervisor that does not start says why; it: " + how.to_string());
    }
    if (!scene_.wait_all_gone(patience)) broken("a supervisor that fails leaves no server behind");
  }

  bool says_why(const exit_status& how) {
    const auto text = supervisor_.output();
    const bool said = text.find("cannot ") != text.npos || text.find("graceful-ctl: ") != text.npos;
    return said && !how.exited(0) && !how.signalled(SIGABRT) && !how.signalled(SIGSEGV);
  }

  [[nodiscard]] graceful::result<graceful::supervisor_client> client() const {
    return graceful::supervisor_client::connect(graceful::default_supervisor_path(control_),
                                                patience);
  }

  /// False if that ends it: after the exec there is no way back. The server keeps serving.
  bool execute_again() {
    auto asked = client();
    if (!asked || asked->reexec()) return true;
    const auto how = supervisor_.wait_exit(deadline{std::chrono::seconds{1}});
    if (!how) return true;
    seen_.refused = true;
    if (!says_why(how)) broken("a new program that fails says why; it: " + how.to_string());
    return false;
  }

  void ask() {
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto asked = client();  // the failed call may have belonged to the connection
      const auto status = asked ? asked->status() : asked.error();
      if (status && status->pid == supervisor_.pid() && status->main_pid) return;
      if (attempt > 0) {
        broken("the supervisor answers; instead: " +
               (status ? "of another server" : status.error().message));
      }
    }
  }

  fault_injector& faults_;
  graceful::testing::scene scene_;
  const std::string control_;
  process& supervisor_;
  std::size_t servers_ = 0;
  life seen_;
};

int run(const programs& of, std::size_t points, std::uint64_t seed, const std::string& at) {
  fault_injector faults;
  std::vector<point> all;
  if (at.empty()) {
    trial undisturbed{of, faults, {}};
    const auto seen = undisturbed.run();
    if (!seen.broken.empty()) throw std::runtime_error{seen.broken.front() + "\n" + seen.output};
    all = points_of(undisturbed.calls(), {}, harm::errors, seed);
    std::cerr << "a life is " << all.size() << " points; seed " << seed << std::endl;
  } else {
    const auto one = point::parse(at);
    if (!one) throw std::runtime_error{"there is no point '" + at + "'"};
    all.push_back(*one);
  }
  const auto whole = all.size();
  if (points > 0 && points < all.size()) all.resize(points);
  std::size_t passed = 0;
  std::size_t refused = 0;
  std::size_t unreached = 0;
  std::set<std::string> kinds;
  for (const point& each : all) {
    const auto seen = trial{of, faults, each.fault}.run();
    if (seen.broken.empty()) {
      ++passed;
    } else {
      std::cout << "FAILED: " << each.to_string() << " (" << std::strerror(each.fault.error)
                << ")\n";
      for (const auto& what : seen.broken) std::cout << "  broken: " << what << '\n';
      std::cout << seen.output << std::endl;
    }
    refused += seen.refused ? 1 : 0;
    if (seen.struck.empty()) ++unreached;
    if (!seen.struck.empty()) kinds.insert(seen.struck);
  }
  std::cout << "calls of " << kinds.size() << " kinds failed:";
  for (const auto& kind : kinds) std::cout << ' ' << kind;
  std::cout << '\n'
            << all.size() << " points tried of " << whole << ", " << passed << " passed ("
            << refused
            << " times the supervisor did not start, or go on in its new program, and said why), "
            << all.size() - passed << " failed, " << unreached << " not reached" << std::endl;
  return passed == all.size() && unreached * 10 <= all.size() + 9 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    programs of;
    if (const char* ctl = std::getenv("GRACEFUL_CTL")) of.supervisor = ctl;
    if (const char* server = std::getenv("HTTP_SERVER")) of.server = server;
    std::size_t points = 0;
    std::uint64_t seed = std::random_device{}();
    std::string at;
    bool help = false;
    po::options_description options{
        "Has each call of a supervisor fail. GRACEFUL_CTL and HTTP_SERVER name the programs. "
        "Options"};
    options.add_options()                                                                      //
        ("points", po::value(&points)->value_name("N"), "how many to try (default: all)")      //
        ("seed", po::value(&seed)->value_name("N"), "of their order (default: any, printed)")  //
        ("at", po::value(&at)->value_name("POINT"), "only this one, as it is printed")         //
        ("help,h", po::bool_switch(&help), "print this, and exit");
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, options), values);
    po::notify(values);
    if (help) {
      std::cout << options;
      return 0;
    }
    return run(of, points, seed, at);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "supervisor_errors: %s\n", e.what());
    return 2;
  }
}
