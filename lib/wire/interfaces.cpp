// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/interfaces.hpp"

#include <graceful/version.hpp>

#include "wire/fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace graceful::wire {

namespace {

constexpr std::string_view service_interface = R"(# Describes a Varlink service.
interface org.varlink.service

# Describes the service and lists its interfaces.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# Returns the description of one interface.
method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)
error MethodNotFound (method: string)
error MethodNotImplemented (method: string)
error InvalidParameter (parameter: string)
error PermissionDenied ()
error ExpectedMore ()
)";

// docs/protocol.md contains these texts too; a test compares them.
constexpr std::string_view control_interface = R"(# Watches and upgrades a running server.
interface io.graceful.Control

# A listening socket. queue: how many connections wait to be accepted, of backlog at most.
type Listener (name: string, address: string, queue: int, backlog: int)

type Process (pid: int)

# Another generation, which drains. connections: how many it has left, if it has reported. hurried:
# it was told to cut them.
type Draining (generation: int, pid: int, connections: ?int, hurried: bool)

# state: starting, serving, upgrading, probation or draining. connections: how many the server
# tracks. successor: the process that is in probation, if any. last_failure: why the last upgrade
# failed. dropped: listeners of the previous generation on which this one does not listen.
# dropped_addresses: their addresses, in the same order. This process may have a listener of the
# same name at another address.
method Status() -> (
  name: string,
  generation: int,
  pid: int,
  uptime_ms: int,
  state: string,
  version: string,
  connections: int,
  listeners: []Listener,
  draining: []Draining,
  successor: ?Process,
  last_failure: ?string,
  dropped: ?[]string,
  dropped_addresses: ?[]string
)

# Spawns a successor and hands over to it. command: what to execute; the default is the server's own
# start command. directory: where, an absolute path; the default is the server's own. environment:
# added to the server's start environment. timeout_ms: how long the successor may take until it is
# ready. With more, the server streams the phases spawned, begun, passed, ready and committed.
# Without, it replies once, at committed. dropped and dropped_addresses come with committed: the
# listeners of this process on which the successor does not listen.
method Upgrade(
  command: ?[]string,
  directory: ?string,
  environment: ?[string]string,
  timeout_ms: ?int
) -> (
  phase: string,
  elapsed_ms: int,
  duration_ms: int,
  pid: ?int,
  generation: ?int,
  sockets: ?int,
  dropped: ?[]string,
  dropped_addresses: ?[]string
)

# Why no upgrade is possible now. kind: busy, not_ready, permission, supervisor, directory or
# program.
type Obstacle (kind: string, message: string)

# Says what Upgrade would do with the same parameters, and changes nothing. program: the path that
# would be executed. environment: how it differs from the server's at its start, apart from the
# variables that every successor gets. listeners: what would be passed.
method Plan(
  command: ?[]string,
  directory: ?string,
  environment: ?[string]string,
  timeout_ms: ?int
) -> (
  program: string,
  arguments: []string,
  directory: string,
  environment: [string]string,
  generation: int,
  timeout_ms: int,
  probation_ms: int,
  listeners: []Listener,
  obstacles: []Obstacle
)

# Gives up the upgrade that is under way, and kills the process that was spawned.
method Abort() -> ()

# Both end the probation of a successor. Commit: the successor stays. Rollback: this process accepts
# again.
method Commit() -> ()
method Rollback(reason: ?string) -> ()

# Ends the server without a successor. It accepts what is in the queues, then no more, and lets the
# connections end; with now, it cuts them. With more, it streams draining once a second, and drained
# at the end. Without, it replies once, at drained. cut: how many connections the deadline has
# ended.
method Drain(now: ?bool) -> (phase: string, elapsed_ms: int, connections: int, cut: int)

# Streams what happens; needs more. The first event is watching; then come spawned, begun, passed,
# ready, committed, failed, draining, hurried, generation_ended; the last is handed_over or ended.
method Monitor() -> (event: string, message: string, generation: int, pid: int, time_ms: int)

# Returns what the server measures, as OpenMetrics 1.0.
method Metrics() -> (text: string)

# Says that the supervisor behind this socket watches which process serves this path. So it learns
# of an upgrade even if the server cannot reach it.
method Watch(supervisor: string) -> ()

# An upgrade is under way, this process drains, or a limit is reached.
error Busy (message: string)
# The server has not called ready yet.
error NotReady (message: string)
# The successor failed. The server keeps serving; with ends, it was told to end meanwhile, and ends.
error UpgradeFailed (message: string, ends: ?bool)
# There is no upgrade to abort, or none in probation.
error NoUpgrade (message: string)
)";

constexpr std::string_view handoff_interface =
    R"(# Takes the listening sockets over from a running server.
interface io.graceful.Handoff

# Counted over all generations so far: upgrades by their outcome, and connections that the deadline
# of a drain has ended.
type Totals (committed: int, failed: int, rolled_back: int, cut: int)

# Begins a handoff. versions: those that the successor speaks. token: the value of GRACEFUL_UPGRADE,
# if the successor has one. manager: an opaque name of the service manager that looks after the
# successor, if any. If that is another one than the predecessor's, the predecessor's manager is not
# told that the successor is the main process now.
# The reply names the version to use, the generation that the successor will be, and the number of
# descriptors on offer. Missing totals count as 0. kept: listeners on offer that a service manager
# holds too, for the process that it starts next; no process attaches a filter to them. late_claims:
# this predecessor heeds the unwanted listeners of Settle.
method Begin(versions: []int, token: ?string, manager: ?string) -> (
  version: int,
  generation: int,
  name: string,
  descriptors: int,
  totals: ?Totals,
  kept: ?[]string,
  late_claims: ?bool
)

# Asks for descriptors, from index first on. The reply carries one descriptor for each name.
method Fetch(first: int) -> (first: int, names: []string)

# Says that the successor is ready. The successor accepts when the reply has come, and then calls
# Settle. The predecessor stops accepting when it receives Settle.
# unwanted: listeners on offer that the successor does not take. The predecessor keeps accepting
# there, and ends that gracefully when it is sure that the successor stays. With late_claims, the
# successor may still take some of them, and Settle says which it does not take.
# durations_us: how long the phases spawned, begun, passed and ready took, as far as there were any.
# asks: the predecessor asks once more at the end of the probation, so the first Settle confirms
# nothing.
method Ready(unwanted: ?[]string, late_claims: ?bool) -> (durations_us: ?[string]int, asks: ?bool)

# Asks, after Ready, whether the successor stays. The reply comes at the end of the probation. If
# settled is false, call Settle again at once: the predecessor wants to see that the successor
# serves. If it is true, the successor stays, and takes the control socket; this may also come
# unasked, as the last message. RolledBack and Aborted say that the predecessor accepts again. If
# the predecessor dies without a word, the successor stays. unwanted replaces that of Ready, and is
# final.
method Settle(unwanted: ?[]string) -> (settled: bool)

# Each process that drains calls this once a second, on a connection of its own, at the process that
# serves. connections: how many it has left. cut: how many it has cut, without those in reports that
# were answered on its earlier connections. hurry: it has to cut those that are left.
method Report(generation: int, pid: int, connections: int, cut: int) -> (hurry: bool)

# Says that the successor gives up. reason: for the operator.
method Fail(reason: string) -> ()

error Busy (message: string)
error IncompatibleVersion (message: string, offered: []int, supported: []int)
error NotOnOffer (message: string)
error NotExpected (message: string)
error OutOfOrder (message: string)
error RolledBack (message: string)
# The predecessor gave up the upgrade. May come at any time after Begin, as the last message.
error Aborted (message: string)
)";

constexpr std::string_view supervisor_interface =
    R"(# Keeps a server running, and its listening sockets open while it does not run.
interface io.graceful.Supervisor

# A socket that the supervisor holds too. address: empty if it is no TCP socket.
type Kept (name: string, address: string)

# state: starting, serving, waiting (to start the server again) or ending (waiting for older
# processes of the server). main: the server's pid. said: the status that the server reports.
# restarts: how many came after failures. failures: how many came in a row; failure_limit of them
# end the supervisor (0: no limit). last_failure: how the server ended when it failed last. wait_ms:
# the time until it is started again.
method Status() -> (
  pid: int,
  uptime_ms: int,
  state: string,
  version: string,
  main: ?int,
  said: ?string,
  restarts: int,
  failures: int,
  failure_limit: int,
  last_failure: ?string,
  wait_ms: ?int,
  kept: []Kept
)

# A server calls this when it is about to end without a successor. If released, the supervisor has
# closed the sockets that it kept, so the server alone holds them, and the supervisor ends too if
# the server ends well. If not, they stay open, and new connections wait for the server's next
# start.
method Release() -> (released: bool)

# Executes the supervisor's own program again, which may be another build. The new program replies.
# The sockets that are kept stay open meanwhile.
method Reexec() -> ()

# The supervisor goes on as the program that it was.
error ReexecFailed (message: string)
)";

struct interface_entry {
  std::string_view name;
  std::string_view description;
  bool of_server;
  bool of_supervisor;
};

constexpr std::array<interface_entry, 4> interfaces{{
    {"org.varlink.service", service_interface, true, true},
    {"io.graceful.Control", control_interface, true, false},
    {"io.graceful.Handoff", handoff_interface, true, false},
    {"io.graceful.Supervisor", supervisor_interface, false, true},
}};

bool is_of(const interface_entry& each, role who) {
  return who == role::supervisor ? each.of_supervisor : each.of_server;
}

bool offers(role who, std::string_view name) {
  return std::ranges::any_of(
      interfaces, [&](const auto& each) { return each.name == name && is_of(each, who); });
}

}  // namespace

std::optional<std::string_view> interface_description(std::string_view name) {
  for (const auto& each : interfaces) {
    if (each.name == name) return each.description;
  }
  return {};
}

std::optional<reply> answer_service_call(const call& c, role who) {
  reply r;
  if (c.method == "org.varlink.service.GetInfo") {
    r.parameters["vendor"] = "graceful";
    r.parameters["product"] = "graceful";
    r.parameters["version"] = GRACEFUL_VERSION_STRING;
    r.parameters["url"] = "";
    json::array names;
    for (const auto& each : interfaces) {
      if (is_of(each, who)) names.emplace_back(each.name);
    }
    r.parameters["interfaces"] = std::move(names);
    return r;
  }
  if (c.method == "org.varlink.service.GetInterfaceDescription") {
    const auto name = string_field(c.parameters, "interface");
    if (!name) return invalid("interface");
    const auto description = interface_description(*name);
    if (!description || !offers(who, *name))
      return to_error(interface_not_found, *name, "interface");
    r.parameters["description"] = *description;
    return r;
  }
  return {};
}

reply unknown_method(const call& c, role who) {
  const auto dot = c.method.rfind('.');
  const auto interface = c.method.substr(0, dot == std::string::npos ? 0 : dot);
  if (offers(who, interface)) return to_error(method_not_found, c.method, "method");
  return to_error(interface_not_found, interface, "interface");
}

}  // namespace graceful::wire
