// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/interfaces.hpp"

#include <graceful/version.hpp>

#include "wire/fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

namespace graceful::wire {

namespace {

constexpr std::string_view service_interface = R"(# What a Varlink service says of itself.
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

# A listening socket: queue of backlog connections wait to be accepted.
type Listener (name: string, address: string, queue: int, backlog: int)

type Process (pid: int)

# Another generation, which drains. connections are left, if it has reported; hurried: it was told
# to cut them.
type Draining (generation: int, pid: int, connections: ?int, hurried: bool)

# state is one of starting, serving, upgrading, probation, draining. connections counts those that
# the server tracks. successor is there while it is in probation. last_failure says why the last
# upgrade failed. dropped: listeners of the generation before on which this one does not listen;
# dropped_addresses: where they were, in the same order. This process may have a listener of the
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

# Spawns a successor: command, or the server's own start command; in directory, an absolute path, or
# the server's own; environment is added to the server's start environment; timeout_ms is how long it
# may take until it is ready. Streams the phases spawned, begun, passed, ready, committed with more;
# replies once, at committed, without. dropped and dropped_addresses, at committed: listeners of this
# process on which the successor does not listen.
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

# Why there can be no upgrade now. kind is one of busy, not_ready, permission,
# supervisor, directory, program.
type Obstacle (kind: string, message: string)

# What Upgrade would do with the same parameters; changes nothing. program is the path that would be
# executed, in directory, as generation; environment is what differs from the server's at its start,
# but for what every successor is told; listeners would be passed.
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

# Gives up the upgrade that is under way; what was spawned is killed.
method Abort() -> ()

# Ends the probation of a successor that is ready: it stays, or this process accepts again.
method Commit() -> ()
method Rollback(reason: ?string) -> ()

# Ends the server without a successor: accepts what is in the queues, then no more, and lets the
# connections end; with now, cuts them. Streams draining, once a second, and drained with more;
# replies once, at drained, without. cut counts the connections that the deadline has ended.
method Drain(now: ?bool) -> (phase: string, elapsed_ms: int, connections: int, cut: int)

# Tells what happens, with more only: watching at first, then spawned, begun, passed, ready,
# committed, failed, draining, hurried, generation_ended; handed_over or ended is the last.
method Monitor() -> (event: string, message: string, generation: int, pid: int, time_ms: int)

# What the server measures, as OpenMetrics 1.0.
method Metrics() -> (text: string)

# The supervisor whose socket this is looks which process serves this path: so it hears of an upgrade
# also if the server cannot speak to it.
method Watch(supervisor: string) -> ()

# An upgrade is under way, or this process drains; or a limit is reached.
error Busy (message: string)
# The server has not called ready yet.
error NotReady (message: string)
# The successor failed; the server serves on, unless it ends: because it was told to, meanwhile.
error UpgradeFailed (message: string, ends: ?bool)
# There is no upgrade that could be aborted, or is in probation.
error NoUpgrade (message: string)
)";

constexpr std::string_view handoff_interface =
    R"(# Takes the listening sockets over from a running server.
interface io.graceful.Handoff

# What has been counted over all generations so far: upgrades by their outcome, and connections
# that the deadline of a drain has ended.
type Totals (committed: int, failed: int, rolled_back: int, cut: int)

# versions: what the successor speaks. token: the value of GRACEFUL_UPGRADE, if it has one.
# manager: which service manager looks after the successor, if one does: what it is called means
# nothing but that it is the same, or not. If it is not the predecessor's, that one does not hear
# that the successor is the main process now.
# The reply names the version to use, the generation that the successor will be, and the
# number of descriptors on offer. Without totals they are 0. kept: listeners on offer that a
# service manager holds too, for whoever it starts next; nobody attaches a filter to those.
# late_claims: this predecessor heeds what Settle says of unwanted listeners.
method Begin(versions: []int, token: ?string, manager: ?string) -> (
  version: int,
  generation: int,
  name: string,
  descriptors: int,
  totals: ?Totals,
  kept: ?[]string,
  late_claims: ?bool
)

# Asks for descriptors from the index first on. The reply carries one for each of names.
method Fetch(first: int) -> (first: int, names: []string)

# The successor is to serve: it accepts when the reply has come, and then calls Settle. The
# predecessor stops accepting when that has come.
# unwanted: listeners on offer that the successor does not take; the predecessor goes on accepting
# there, and ends that gracefully when it is sure that the successor stays. With late_claims the
# successor may still take some of them, and Settle says which.
# durations_us: how long the phases spawned, begun, passed and ready took, where there were such.
# asks: there is a probation, and at its end a question: the first Settle is no answer yet.
method Ready(unwanted: ?[]string, late_claims: ?bool) -> (durations_us: ?[string]int, asks: ?bool)

# Asked after Ready. The reply comes at the end of probation. If not settled, ask at once again:
# the predecessor wants to see that the successor is there. If settled, the successor stays, and
# takes the control socket; this may come unasked too, as the last message. RolledBack or Aborted
# says that the predecessor accepts again. If the predecessor dies without a word, the successor
# stays. unwanted stands for that of Ready from then on, and is final.
method Settle(unwanted: ?[]string) -> (settled: bool)

# Said once a second by each process that drains, on a connection of its own to the one that
# serves: how many connections it has left, and how many it has cut but for those of reports that
# were answered on connections before this one. With hurry it is to cut those that are left.
method Report(generation: int, pid: int, connections: int, cut: int) -> (hurry: bool)

# The successor gives up; reason is for the operator.
method Fail(reason: string) -> ()

error Busy (message: string)
error IncompatibleVersion (message: string, offered: []int, supported: []int)
error NotOnOffer (message: string)
error NotExpected (message: string)
error OutOfOrder (message: string)
error RolledBack (message: string)
# The predecessor gave the upgrade up. May come at any time after Begin, as the last message.
error Aborted (message: string)
)";

constexpr std::string_view supervisor_interface =
    R"(# Keeps a server running, and its listening sockets open while it does not run.
interface io.graceful.Supervisor

# A socket that the supervisor holds too. address is empty if it is no TCP socket.
type Kept (name: string, address: string)

# state is one of starting, serving, waiting (to start the server again), ending (for older
# processes of the server). main is the server's pid; said is what it says of itself; restarts
# counts those after failures, failures those in a row, of which the limit ends the supervisor
# (0: none); last_failure says how the server ended that failed last; wait_ms is left until it is
# started again.
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

# Asked by a server that is about to end without a successor. If released, the supervisor has closed
# what it kept, and ends too if the server ends well: the server is the only one that holds its
# sockets. If not, they stay open, and what connects waits for the server's next start.
method Release() -> (released: bool)

# Executes the supervisor's own program again, which may be another build. The new one replies. What
# is kept stays open all the while.
method Reexec() -> ()

# The supervisor goes on as it is.
error ReexecFailed (message: string)
)";

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> interfaces{{
    {"org.varlink.service", service_interface},
    {"io.graceful.Control", control_interface},
    {"io.graceful.Handoff", handoff_interface},
    {"io.graceful.Supervisor", supervisor_interface},
}};

constexpr std::array<std::string_view, 3> of_server{"org.varlink.service", "io.graceful.Control",
                                                    "io.graceful.Handoff"};
constexpr std::array<std::string_view, 2> of_supervisor{"org.varlink.service",
                                                        "io.graceful.Supervisor"};

std::span<const std::string_view> offered_by(role who) {
  if (who == role::supervisor) return of_supervisor;
  return of_server;
}

bool offers(role who, std::string_view interface) {
  return std::ranges::find(offered_by(who), interface) != offered_by(who).end();
}

reply not_found(std::string_view error, std::string_view key, std::string_view value) {
  reply r;
  r.error = error;
  r.parameters[key] = value;
  return r;
}

}  // namespace

std::optional<std::string_view> interface_description(std::string_view interface) {
  for (const auto& [name, description] : interfaces) {
    if (name == interface) return description;
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
    for (const auto name : offered_by(who)) names.emplace_back(name);
    r.parameters["interfaces"] = std::move(names);
    return r;
  }
  if (c.method == "org.varlink.service.GetInterfaceDescription") {
    const auto name = string_field(c.parameters, "interface");
    if (!name) return not_found(invalid_parameter, "parameter", "interface");
    const auto description = interface_description(*name);
    if (!description || !offers(who, *name))
      return not_found(interface_not_found, "interface", *name);
    r.parameters["description"] = *description;
    return r;
  }
  return {};
}

reply unknown_method(const call& c, role who) {
  const auto dot = c.method.rfind('.');
  const auto interface = c.method.substr(0, dot == std::string::npos ? 0 : dot);
  if (offers(who, interface)) return not_found(method_not_found, "method", c.method);
  return not_found(interface_not_found, "interface", interface);
}

}  // namespace graceful::wire
