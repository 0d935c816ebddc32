// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/life.hpp"

namespace graceful {

life::actions life::resume(event e) {
  switch (e) {
    case event::ready_called:
      return on_ready_called();
    case event::announced:
      if (stage_ != stage::announcing) return {};
      if (!told_) {
        stage_ = stage::opening;
        return {action::open};
      }
      // The connection was broken off, so the predecessor goes on.
      ready_ = true;
      stage_ = stage::handed_over;
      return {action::tell_end, action::go_back};
    case event::not_accepted:
      if (stage_ != stage::announcing) return {};
      stage_ = stage::unready;
      if (!told_) return {action::refuse_ready};
      stage_ = stage::draining;
      return {action::refuse_ready, action::tell_end, action::end_alone};
    case event::opened:
      return stage_ == stage::opening ? on_opened() : actions{};
    case event::given_up:
      if (ready_ || committed_) return {};
      if (stage_ == stage::starting) stage_ = stage::unready;
      if (stage_ != stage::unready && stage_ != stage::draining) return {};
      return {action::give_back};
    case event::told_to_end:
    case event::told_to_end_now:
      return on_told_to_end(e == event::told_to_end_now);
    case event::upgrade_settled:
      if (stage_ != stage::serving || !told_) return {};
      stage_ = stage::draining;
      return {action::end_alone};
    case event::committed:
      if (!in_probation()) return {};
      committed_ = true;
      if (stage_ == stage::probation) {
        stage_ = stage::serving;
        return {action::stay, action::serve_path};
      }
      stage_ = stage::draining;
      // Serving the path comes last, because it may fail.
      return {action::stay, action::end_alone, action::serve_path};
    case event::rolled_back:
      if (!in_probation()) return {};
      stage_ = stage::handed_over;
      return {action::go_back};
    case event::succeeded:
      if (stage_ != stage::serving) return {};
      stage_ = stage::handed_over;
      return {action::hand_over};
  }
  return {};
}

life::actions life::on_ready_called() {
  if (stage_ == stage::unready) return {action::refuse_ready};
  if (stage_ == stage::draining && !ready_) {
    if (!committed_) return {action::refuse_ready};
    ready_ = true;
    return {action::say_unserved};
  }
  if (stage_ != stage::starting) return {};
  stage_ = committed_ ? stage::opening : stage::announcing;
  return {committed_ ? action::open : action::announce};
}

life::actions life::on_opened() {
  ready_ = true;
  if (committed_) {
    stage_ = stage::serving;
    if (!told_) return {action::say_serves};
    return {action::say_serves, action::tell_end, action::settle_upgrade};
  }
  stage_ = told_ ? stage::leaving : stage::probation;
  if (!told_) return {action::watch};
  return {action::watch, action::tell_end, action::ask_back};
}

life::actions life::on_told_to_end(bool now) {
  const bool again = told_;
  told_ = true;
  hurry_ = hurry_ || now;
  switch (stage_) {
    case stage::starting:
    case stage::unready:
      stage_ = stage::draining;
      return {action::tell_end, action::end_alone};
    case stage::announcing:
      return again ? actions{} : actions{action::break_off};
    case stage::opening:
      return {};
    case stage::probation:
      stage_ = stage::leaving;
      return {action::tell_end, action::ask_back};
    case stage::leaving:
      if (!now) return {};
      // The predecessor has been asked already, and there is no time to wait for its answer.
      stage_ = stage::handed_over;
      return {action::go_back};
    case stage::serving:
      return again ? actions{} : actions{action::tell_end, action::settle_upgrade};
    case stage::draining:
    case stage::handed_over:
      return now ? actions{action::hurry} : actions{};
  }
  return {};
}

}  // namespace graceful
