// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/text.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"
#include "wire/interfaces.hpp"
#include "wire/varlink.hpp"

#include "fuzz_input.hpp"
#include "json_match.hpp"

#include <algorithm>
#include <string>
#include <tuple>

/// One message (a JSON object). Its parameters are parsed as those of every message, since a peer
/// may send the parameters of one message under the name of another.
using namespace graceful_test;
namespace wire = graceful::wire;
namespace json = boost::json;

namespace graceful::wire {
namespace {

auto fields(const listener_status& m) { return std::tie(m.name, m.address, m.queue, m.backlog); }
auto fields(const draining_process& m) {
  return std::tie(m.generation, m.pid, m.connections, m.hurried);
}
auto fields(const upgrade_request& m) { return std::tie(m.command, m.environment, m.timeout); }
auto fields(const upgrade_obstacle& m) { return std::tie(m.kind, m.message); }
auto fields(const upgrade_plan& m) {
  return std::tie(m.program, m.arguments, m.directory, m.environment, m.generation, m.timeout,
                  m.probation);
}
auto fields(const upgrade_phase& m) {
  return std::tie(m.phase, m.elapsed, m.duration, m.pid, m.generation, m.sockets);
}
auto fields(const drain_progress& m) { return std::tie(m.phase, m.elapsed, m.connections, m.cut); }
auto fields(const server_metrics& m) { return std::tie(m.text); }
auto fields(const server_event& m) {
  return std::tie(m.event, m.message, m.generation, m.pid, m.time);
}
auto fields(const server_status& m) {
  return std::tie(m.name, m.generation, m.pid, m.uptime, m.state, m.version, m.connections,
                  m.successor_pid, m.last_failure);
}
auto fields(const totals& m) { return std::tie(m.committed, m.failed, m.rolled_back, m.cut); }
auto fields(const begin& m) { return std::tie(m.versions, m.token, m.manager); }
auto fields(const begun& m) { return std::tie(m.version, m.generation, m.name, m.descriptors); }
auto fields(const fetch& m) { return std::tie(m.first); }
auto fields(const batch& m) { return std::tie(m.first, m.names); }
auto fields(const ready& m) { return std::tie(m.unwanted); }
auto fields(const settled& m) { return std::tie(m.settled); }
auto fields(const fail& m) { return std::tie(m.reason); }
auto fields(const report& m) { return std::tie(m.generation, m.pid, m.connections, m.cut); }
auto fields(const reported& m) { return std::tie(m.hurry); }
auto fields(const readied& m) { return std::tie(m.durations); }

template <class Message>
bool same(const Message& a, const Message& b) {
  return fields(a) == fields(b);
}
bool same(const server_status& a, const server_status& b) {
  const auto each = [](const auto& x, const auto& y) { return same(x, y); };
  return fields(a) == fields(b) && std::ranges::equal(a.listeners, b.listeners, each) &&
         std::ranges::equal(a.draining, b.draining, each);
}
bool same(const upgrade_plan& a, const upgrade_plan& b) {
  const auto each = [](const auto& x, const auto& y) { return same(x, y); };
  return fields(a) == fields(b) && std::ranges::equal(a.listeners, b.listeners, each) &&
         std::ranges::equal(a.obstacles, b.obstacles, each);
}
bool same(const begun& a, const begun& b) {
  return fields(a) == fields(b) && same(a.so_far, b.so_far);
}

}  // namespace
}  // namespace graceful::wire

namespace {

/// The parameters as the peer reads them.
json::object delivered(const wire::call& c) {
  auto text = wire::to_message(c);
  text.pop_back();
  auto read = wire::parse_call(text);
  require(read && read->method == c.method, "a call of ours is a call");
  return std::move(read->parameters);
}

json::object delivered(const wire::reply& r) {
  auto text = wire::to_message(r);
  text.pop_back();
  auto read = wire::parse_reply(text);
  require(read && read->error == r.error, "a reply of ours is a reply");
  return std::move(read->parameters);
}

template <class Message, class Write, class Read>
void check(const std::optional<Message>& m, Write write, Read read) {
  if (!m) return;
  const std::optional<Message> again = read(delivered(write(*m)));
  require(again && wire::same(*m, *again), "what is accepted, written and read is the same");
}

constexpr auto as_call = [](const auto& m) { return wire::to_call(m); };
constexpr auto as_reply = [](const auto& m) { return wire::to_reply(m); };

/// Checks what only the message's own parse_ function ensures.
void check_limits(const std::optional<graceful::upgrade_request>& m) {
  if (!m) return;
  const auto has_nul = [](const std::string& s) { return s.find('\0') != std::string::npos; };
  require(std::ranges::none_of(m->command, has_nul), "execve(2) takes no NUL");
  for (const auto& [key, value] : m->environment) {
    require(!has_nul(key) && !has_nul(value), "the environment takes no NUL");
  }
  require(!m->timeout || (m->timeout->count() > 0 && *m->timeout <= wire::max_timeout),
          "an upgrade ends within a day");
}

void check_handoff(const json::object& o) {
  check(wire::parse<wire::begin>(o), as_call, wire::parse<wire::begin>);
  check(wire::parse<wire::begun>(o), as_reply, wire::parse<wire::begun>);
  check(wire::parse<wire::fetch>(o), as_call, wire::parse<wire::fetch>);
  check(wire::parse<wire::batch>(o), as_reply, wire::parse<wire::batch>);
  check(wire::parse<wire::ready>(o), as_call, wire::parse<wire::ready>);
  check(std::optional{wire::parse_readied(o)}, as_reply, wire::parse_readied);
  check(wire::parse<wire::settled>(o), as_reply, wire::parse<wire::settled>);
  check(wire::parse<wire::fail>(o), as_call, wire::parse<wire::fail>);
  check(wire::parse<wire::report>(o), as_call, wire::parse<wire::report>);
  check(wire::parse<wire::reported>(o), as_reply, wire::parse<wire::reported>);
}

void check_control(const json::object& o) {
  const auto upgrade = wire::parse_upgrade(o);
  check_limits(upgrade);
  check(upgrade, as_call, wire::parse_upgrade);
  check(wire::parse<graceful::upgrade_plan>(o), as_reply, wire::parse<graceful::upgrade_plan>);
  check(wire::parse_phase(o), as_reply, wire::parse_phase);
  check(wire::parse_status(o), as_reply, wire::parse_status);
  check(wire::parse<graceful::drain_progress>(o), as_reply, wire::parse<graceful::drain_progress>);
  check(wire::parse<graceful::server_event>(o), as_reply, wire::parse<graceful::server_event>);
  check(wire::parse<graceful::server_metrics>(o), as_reply, wire::parse<graceful::server_metrics>);
  (void)wire::parse_drain(o);
  (void)wire::parse_rollback(o);
}

void check_answers(const wire::call& c) {
  const auto service = wire::answer_service_call(c);
  require(!service || c.method.starts_with("org.varlink.service."), "answers for itself only");
  const auto unknown = wire::unknown_method(c);
  require(!unknown.error.empty(), "a method that nobody handles gets an error");
  for (const auto& answer : {service.value_or(unknown), unknown, wire::invalid(c.method),
                             wire::to_error(wire::busy_error, c.method)}) {
    require(match(delivered(answer), answer.parameters), "an answer arrives as it is");
  }
}

/// By the table in RFC 3629.
bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = byte(i);
    const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xc0U) != 0x80) return false;
    }
    const unsigned second = byte(i + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz_input{data, size}.rest();
  require(graceful::is_text(text) == is_utf8(text), "is_text() says what is UTF-8");
  require(is_utf8(graceful::to_text(std::string{text})), "to_text() makes UTF-8 of any bytes");
  (void)delivered(wire::reply{.parameters = {{"message", text}}});  // any bytes may be sent
  if (const auto call = wire::parse_call(text)) check_answers(*call);
  if (const auto reply = wire::parse_reply(text)) {
    check_handoff(reply->parameters);
    check_control(reply->parameters);
  }
  return 0;
}
