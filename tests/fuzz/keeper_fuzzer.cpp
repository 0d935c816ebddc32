// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/keeper_world.hpp"

#include "fuzz_input.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <string>

#include <signal.h>

/// The life of a supervisor: the server and other processes end and send any bytes, and time
/// passes. The input: a byte for the event and one for the process, then what the event needs; a
/// datagram ends with a NUL.
using namespace graceful_test;

namespace {

using namespace graceful::supervision::event;
using ending = graceful::supervision::ending;

constexpr std::array<int, 6> signals{SIGTERM, SIGHUP, SIGUSR1, SIGINT, SIGUSR2, SIGQUIT};

struct life {
  keeper_world world{};

  void take(const graceful::supervision::keeper_event& e, bool can_start = true) {
    const auto wrong = world.take(e, can_start);
    require(wrong.empty(), wrong);
  }

  void hear(pid_t by, std::string_view datagram) {
    auto what = graceful::supervision::parse_notification(datagram);
    if (!what) return;
    require(graceful::supervision::is_descriptor_name(what->name), "a name can be one");
    require(!what->main_pid || *what->main_pid > 0, "a pid is positive");
    require(!what->status || what->status->size() <= datagram.size(), "nothing is made up");
    take(said{by, std::move(*what)});
  }

  void go_on_in_another_program() {
    namespace json = boost::json;
    const auto text = json::serialize(to_json(world.keeper.memory()));
    const auto read = graceful::supervision::memory_from(json::parse(text).get_object());
    require(json::serialize(to_json(read)) == text, "what is remembered is read as it was");
    world.keeper.go_on_with(read);
  }

  void step(fuzz_input& input) {
    const auto what = input.byte();
    const auto who = input.byte();
    const auto one = world.some(who);
    switch (what % 8) {
      case 0:
        world.keeper.pass(std::chrono::milliseconds{input.word()});
        return take(tick{}, who % 4 != 0);
      case 1:
        return take(ended{one, {ending::kind::exited, what >> 3 & 1}, (what & 16) != 0});
      case 2:
        return take(ended{one, {ending::kind::signalled, SIGKILL}, (what & 16) != 0});
      case 3:
        return take(ended{one, {ending::kind::unknown}});
      case 4:
        if ((what & 8) != 0) return take(serves{(what & 16) != 0 ? one : world.born()});
        return hear(one, "READY=1\nMAINPID=" + std::to_string(world.born()));
      case 5:
        return take(told{signals[who % signals.size()], (what & 8) != 0});
      case 6:
        return go_on_in_another_program();
      default:
        return hear(one, input.line());
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  life life;
  life.take(begin{}, input.byte() % 8 != 7);
  while (!input.ended()) life.step(input);
  return 0;
}
