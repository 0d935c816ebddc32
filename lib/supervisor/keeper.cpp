// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/keeper.hpp"

#include <graceful/duration_text.hpp>

#include "wire/fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <signal.h>

namespace graceful::supervision {

namespace {

/// How long after a claim the end of main may still be reported, although it came before the claim.
/// Later, the claim does not count.
constexpr std::chrono::seconds late_news{5};

/// How long a process that was told to end may take to say that it does.
constexpr std::chrono::seconds time_to_stop{1};

std::string pid_text(pid_t pid) { return "pid " + std::to_string(pid); }

bool asks_to_end(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT; }

/// As a shell reports it: 128 + n for a signal; 1 if unknown.
int exit_code(const ending& how) {
  if (how.how == ending::kind::unknown) return 1;
  return how.how == ending::kind::signalled ? 128 + how.value : how.value;
}

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, phase>, 5> phases{{
    {"starting", phase::starting},
    {"serving", phase::serving},
    {"waiting", phase::waiting},
    {"ending", phase::ending},
    {"over", phase::over},
}};

std::int64_t ticks(time t) { return std::chrono::nanoseconds{t.time_since_epoch()}.count(); }

time from_ticks(std::int64_t count) { return time{std::chrono::nanoseconds{count}}; }

std::optional<pid_t> pid_field(const json::object& o, std::string_view key) {
  const auto pid = wire::int_field(o, key);
  if (!pid || *pid <= 0) return {};
  return static_cast<pid_t>(*pid);
}

unsigned small_field(const json::object& o, std::string_view key) {
  return static_cast<unsigned>(wire::count_field(o, key).value_or(0));
}

}  // namespace

keeper_actions keeper::resume(const keeper_event& e, time now) {
  actions_.clear();
  if (memory_.now != phase::over) std::visit([&](const auto& it) { on(it, now); }, e);
  return std::exchange(actions_, {});
}

void keeper::on(const event::begin& /*e*/, time /*now*/) { actions_.emplace_back(action::start{}); }

void keeper::on(const event::adopt& e, time now) {
  memory_.main = e.pid;
  memory_.ever_started = true;
  memory_.now = phase::serving;
  memory_.spoke = true;  // it may have said long ago that it is ready, so nobody waits for that
  memory_.begun = now;
  actions_.emplace_back(action::follow{e.pid});
  note(log_level::info, "the server already runs as " + pid_text(e.pid) +
                            "; the supervisor takes care of it from now on");
}

void keeper::on(const event::started& e, time now) {
  memory_.main = e.pid;
  memory_.speaker.reset();
  memory_.ever_started = true;
  memory_.now = phase::serving;  // until it says that it will report when it is ready
  memory_.spoke = memory_.ready = memory_.overdue = memory_.stopping = false;
  memory_.claimant.reset();
  memory_.due.reset();
  memory_.begun = now;
  memory_.status.clear();
  note(log_level::info, "started the server as " + pid_text(e.pid));
}

void keeper::on(const event::not_started& e, time now) {
  if (memory_.ever_started) return fail(e.why, e.code, now);
  note(log_level::error, e.why);
  finish(e.code);
}

bool keeper::may_name_main(pid_t who) const {
  return who > 0 &&
         (!memory_.main || !memory_.ready || who == memory_.main || who == memory_.speaker);
}

void keeper::on(const event::said& e, time now) {
  const auto& n = e.what;
  if (n.went_back && e.by > 0 && e.by != memory_.main && memory_.formers.insert(e.by).second) {
    if (memory_.speaker == e.by) memory_.speaker.reset();
    actions_.emplace_back(action::follow{e.by});
  }
  const bool former = memory_.formers.contains(e.by);  // checked now, as it may become one below
  if (n.main_pid) {
    if (may_name_main(e.by)) {
      become_main(*n.main_pid, now);
    } else {
      if (*n.main_pid == e.by) memory_.claimant = {e.by, now};
      note(log_level::warning,
           pid_text(e.by) + " says that " + pid_text(*n.main_pid) +
               " is the main process, which only the main process may say while it lives");
    }
  }
  if (!memory_.main || former) return;
  // A server that has long served in silence is not waited for: any process of the user can send
  // here.
  const bool starts = now - memory_.begun < limits_.ready_timeout;
  if (starts && !std::exchange(memory_.spoke, true) && !memory_.ready) {
    memory_.now = phase::starting;
    memory_.due = memory_.begun + limits_.ready_timeout;
  } else if (e.by == memory_.main && !memory_.ready && !n.ready && !n.stopping &&
             !std::exchange(memory_.spoke, true)) {
    note(log_level::info, pid_text(e.by) + " has reported for the first time, but later than the " +
                              duration_text(limits_.ready_timeout) +
                              " that it may take to be ready: the supervisor does not wait for it");
  }
  if (n.stopping && (e.by == memory_.main || e.by == memory_.speaker)) memory_.stopping = true;
  if (n.extension && memory_.due) memory_.due = std::max<time>(*memory_.due, now + *n.extension);
  if (n.status) memory_.status = *n.status;
  if (n.ready && !n.main_pid && (!memory_.ready || !memory_.speaker || e.by == memory_.main)) {
    be_ready(e.by, now);
  }
}

void keeper::become_main(pid_t pid, time now) {
  if (memory_.main == pid) return be_ready(pid, now);
  const auto before = memory_.main;
  if (before) memory_.formers.insert(*before);
  memory_.formers.erase(pid);
  memory_.main = pid;
  if (memory_.now == phase::ending) {  // it had been given up, but serves
    memory_.failures = 0;
    actions_.emplace_back(action::keep{});
  }
  forgive(now);  // counts for the previous process; the time of this one begins now
  memory_.now = phase::serving;
  memory_.overdue = memory_.stopping = false;
  memory_.claimant.reset();
  memory_.spoke = true;
  memory_.ready = false;
  actions_.emplace_back(action::follow{pid});
  be_ready(pid, now);
  note(log_level::info, pid_text(pid) + " is the main process from now on" +
                            (before ? "; " + pid_text(*before) + " ends when it has drained" : ""));
  // The order to end was meant for the server, whichever process that is by now.
  if (memory_.told > 0) actions_.emplace_back(action::send{pid, SIGTERM});
}

void keeper::be_ready(pid_t who, time now) {
  memory_.speaker = who;
  if (who != memory_.main) actions_.emplace_back(action::follow{who});
  if (std::exchange(memory_.ready, true)) return;
  memory_.now = phase::serving;
  memory_.due.reset();
  memory_.begun = now;
}

void keeper::on(const event::ended& e, time now) {
  if (memory_.speaker == e.pid) memory_.speaker.reset();
  if (memory_.claimant && memory_.claimant->first == e.pid) memory_.claimant.reset();
  if (memory_.formers.erase(e.pid) > 0) {
    if (memory_.now == phase::ending && memory_.formers.empty()) finish(memory_.last_code);
    return;
  }
  if (memory_.main != e.pid) return;
  memory_.main.reset();
  memory_.due.reset();
  // A successor that sees its predecessor die may claim before that death is reported here.
  const auto heir = std::exchange(memory_.claimant, std::nullopt);
  if (heir && now - heir->second < late_news) return become_main(heir->first, now);
  if (e.heir) {
    note(log_level::info, pid_text(e.pid) + ' ' + e.how.to_string() + "; " + pid_text(*e.heir) +
                              " serves its control path");
    return become_main(*e.heir, now);
  }
  if (e.speaker_left && memory_.speaker) return leave_to_speaker(e, now);
  const bool good = e.how.how == ending::kind::exited && e.how.value == 0;
  const bool told_unseen =
      e.how.how == ending::kind::unknown && (memory_.told > 0 || memory_.stopping);
  const auto how =
      memory_.overdue
          ? "was not ready within " + duration_text(limits_.ready_timeout) + " and has been killed"
          : e.how.to_string();
  if (memory_.told == 0 && !good && !told_unseen) {
    return fail("the server (" + pid_text(e.pid) + ") " + how, exit_code(e.how), now);
  }
  const bool daemon = e.left_others && memory_.told == 0 && !memory_.stopping && !memory_.ready &&
                      memory_.formers.empty();
  note(daemon ? log_level::warning : log_level::info,
       "the server (" + pid_text(e.pid) + ") " + how +
           (daemon ? ", but a process that it has started still runs: if the server makes itself a "
                     "daemon, tell it to stay in the foreground, where it can be supervised"
                   : ""));
  finish(told_unseen ? 0 : exit_code(e.how));
}

/// An observation may be older than a message: a former main process does not come back.
void keeper::on(const event::serves& e, time now) {
  if (memory_.main == e.pid || memory_.formers.contains(e.pid)) return;
  note(log_level::info, pid_text(e.pid) + " now serves the control path");
  become_main(e.pid, now);
}

bool keeper::would_finish(const event::ended& e, time now) const {
  auto trial = *this;
  trial.resume(e, now);
  return trial.memory_.now == phase::ending || trial.memory_.now == phase::over;
}

/// Main was a shell around the server; the server need not end with it.
void keeper::leave_to_speaker(const event::ended& e, time now) {
  note(log_level::warning, pid_text(e.pid) + ' ' + e.how.to_string() + "; " +
                               pid_text(*memory_.speaker) +
                               ", which it has started, said that it is ready, and is the server");
  const auto told = std::exchange(memory_.told, 0);
  const bool ends = memory_.stopping;
  become_main(*memory_.speaker, now);
  memory_.told = told;
  memory_.stopping = ends;
  // The shell may have passed the order on; the server then says that it stops. A second order
  // would mean impatience.
  if (told > 0) memory_.due = now + time_to_stop;
}

void keeper::forgive(time now) {
  if (memory_.now == phase::serving && now - memory_.begun >= limits_.good_while) {
    memory_.failures = 0;
  }
}

void keeper::fail(const std::string& how, int code, time now) {
  forgive(now);
  memory_.last_end = how;
  memory_.last_code = code;
  ++memory_.failures;
  if (limits_.failures != 0 && memory_.failures >= limits_.failures) {
    note(log_level::error,
         how + ": failure " + std::to_string(memory_.failures) + " of " +
             std::to_string(limits_.failures) +
             " in a row, so the supervisor does not start it again; its log may say why it fails");
    return finish(code);
  }
  auto delay = limits_.first_delay;
  for (unsigned i = 1; i < memory_.failures && delay < limits_.longest_delay; ++i) delay *= 2;
  delay = std::min(delay, limits_.longest_delay);
  memory_.now = phase::waiting;
  memory_.due = now + delay;
  note(log_level::warning,
       how + "; starting it again in " + duration_text(delay) + " (failure " +
           std::to_string(memory_.failures) +
           (limits_.failures == 0 ? "" : " of " + std::to_string(limits_.failures)) + " in a row)");
}

void keeper::on(const event::told& e, time /*now*/) {
  if (memory_.main) actions_.emplace_back(action::send{*memory_.main, e.signal, e.to_all});
  if (!asks_to_end(e.signal)) return;
  if (++memory_.told > 1 || memory_.now == phase::ending) {
    for (const pid_t pid : memory_.formers) actions_.emplace_back(action::send{pid, e.signal});
  }
  if (memory_.now == phase::waiting) {
    note(log_level::info, "told to end while the server waits to be started again");
    finish(memory_.last_code);
  }
}

void keeper::on(const event::tick& /*e*/, time now) {
  if (!memory_.due || now < *memory_.due) return;
  memory_.due.reset();
  if (memory_.now == phase::waiting) {
    ++memory_.restarts;
    actions_.emplace_back(action::start{});
  } else if (memory_.now == phase::starting && memory_.main) {
    memory_.overdue = true;
    actions_.emplace_back(action::send{*memory_.main, SIGKILL});
  } else if (memory_.now == phase::serving && memory_.main && !memory_.stopping) {
    actions_.emplace_back(action::send{*memory_.main, SIGTERM});
  }
}

void keeper::finish(int code) {
  memory_.last_code = code;
  memory_.due.reset();
  if (memory_.formers.empty()) {
    memory_.now = phase::over;
    actions_.emplace_back(action::finish{code});
    return;
  }
  memory_.now = phase::ending;
  actions_.emplace_back(action::release{});
  note(log_level::info,
       std::to_string(memory_.formers.size()) + (memory_.formers.size() == 1
                                                     ? " older process still drains: waiting for it"
                                                     : " older processes still drain: waiting for "
                                                       "them"));
}

void keeper::note(log_level level, std::string text) {
  actions_.emplace_back(action::note{level, std::move(text)});
}

std::string_view to_string(phase p) {
  for (const auto& [name, value] : phases) {
    if (value == p) return name;
  }
  return "starting";
}

json::object to_json(const memory& m) {
  json::object o{{"phase", to_string(m.now)},
                 {"formers", json::array(m.formers.begin(), m.formers.end())},
                 {"ever_started", m.ever_started},
                 {"spoke", m.spoke},
                 {"ready", m.ready},
                 {"overdue", m.overdue},
                 {"stopping", m.stopping},
                 {"begun", ticks(m.begun)},
                 {"status", m.status},
                 {"last_end", m.last_end},
                 {"last_code", m.last_code},
                 {"failures", m.failures},
                 {"restarts", m.restarts},
                 {"told", m.told}};
  if (m.main) o["main"] = *m.main;
  if (m.speaker) o["speaker"] = *m.speaker;
  if (m.due) o["due"] = ticks(*m.due);
  return o;
}

memory memory_from(const json::object& o) {
  memory m;
  const auto now = wire::string_field(o, "phase").value_or("");
  for (const auto& [name, value] : phases) {
    if (name == now) m.now = value;
  }
  m.main = pid_field(o, "main");
  m.speaker = pid_field(o, "speaker");
  if (const json::value* formers = o.if_contains("formers"); formers && formers->is_array()) {
    for (const json::value& value : formers->get_array()) {
      if (value.is_int64()) m.formers.insert(static_cast<pid_t>(value.get_int64()));
    }
  }
  m.ever_started = wire::bool_field(o, "ever_started").value_or(false);
  m.spoke = wire::bool_field(o, "spoke").value_or(false);
  m.ready = wire::bool_field(o, "ready").value_or(false);
  m.overdue = wire::bool_field(o, "overdue").value_or(false);
  m.stopping = wire::bool_field(o, "stopping").value_or(false);
  if (const auto due = wire::int_field(o, "due")) m.due = from_ticks(*due);
  m.begun = from_ticks(wire::int_field(o, "begun").value_or(0));
  m.status = wire::string_field(o, "status").value_or("");
  m.last_end = wire::string_field(o, "last_end").value_or("");
  m.last_code = static_cast<int>(wire::int_field(o, "last_code").value_or(0));
  m.failures = small_field(o, "failures");
  m.restarts = small_field(o, "restarts");
  m.told = small_field(o, "told");
  return m;
}

}  // namespace graceful::supervision
