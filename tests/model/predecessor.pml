/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* The predecessor's machine, line by line as in lib/handoff/predecessor.cpp, and the effect of each of
   its actions. i is the process, ev the event, from the connection on which it arrived, and detail its
   details: for Begin, whether the token is right; for an exit, whether the successor itself has ended.
   Expanded within one d_step, as the control thread handles an event without a pause. */

inline act(a) { action = a; c_code { record_action(now.action); } }

inline send(c, m) {
  if
  :: p_open[c] && s_open[c] && !cut[c] -> replies[c]!m
  :: else
  fi
}

inline arm_timer(a) { act(a); timer[i] = true }

inline disarm_timer() { act(do_disarm_timer); timer[i] = false }

inline refuse() { act(do_refuse); send(from, m_error) }

inline resume_accepting() {
  act(do_resume_accepting);
#ifndef MUTANT_NO_RESUME
  accepts[i] = true
#endif
}

inline stop_accepting() { act(do_stop_accepting); lev = l_on_succeeded }

inline conclude() {
#ifndef MUTANT_TIMER_LEFT
  disarm_timer();
#endif
  act(do_report_failed);
  pstate[i] = p_serving;
  peer[i] = NOBODY;
  /* (d): a failed upgrade leaves a predecessor that serves, and nothing of the upgrade. */
  assert(DRAINS(i) || (accepts[i] && holds[i] && serves[i]));
  assert(!timer[i] && child[i] == NOBODY && !child_alive[i])
}

inline await_end() {
  peer[i] = NOBODY;
  if
  :: !child_alive[i] -> conclude()
  :: else -> pstate[i] = p_ending
  fi
}

inline abort_peer() {
  act(do_abort_peer);
  send(peer[i], m_error);
  p_open[peer[i]] = false
}

inline give_up() {
  if
  :: peer[i] != NOBODY -> abort_peer()
  :: else
  fi;
  peer[i] = NOBODY;
  if
  :: !child_alive[i] -> conclude()
  :: else ->
     pstate[i] = p_ending;
     act(do_kill_successor);
     if
     :: !shell[i] -> from = child[i]; die(from)
     :: else  /* it may end at any time, and what it has started lives on */
     fi
  fi
}

inline confirm() {
  pstate[i] = p_confirming;
  arm_timer(do_arm_confirmation);
#ifdef MUTANT_CONFIRMS_FOR_EVER
  timer[i] = false;
#endif
  if
  :: settling[i] -> settling[i] = false; asked[i] = true; act(do_settle); send(peer[i], m_ask_again)
  :: else -> asked[i] = false
  fi
}

inline commit_successor(answer) {
  pstate[i] = p_handed_over;
  disarm_timer();
  stop_accepting();
  act(do_settle);
  send(peer[i], m_settled);
  settling[i] = false;
  if
  :: !answer -> p_open[peer[i]] = false
  :: else
  fi;
  act(do_report_committed)
}

inline lose_successor() {
  if
  :: pstate[i] == p_probation || pstate[i] == p_confirming ->
     resume_accepting();
     arm_timer(do_arm_timer)
  :: else
  fi;
  await_end()
}

inline on_begin_event() {
  if
  :: pstate[i] != p_spawning || detail != right_token ->
     if
     :: peer[i] == from || detail != no_token || pstate[i] != p_serving -> refuse()
     :: else -> arm_timer(do_arm_timer); pstate[i] = p_passing
     fi
  :: else -> pstate[i] = p_passing
  fi;
  if
  :: pstate[i] == p_passing && peer[i] == NOBODY ->
     peer[i] = from;
     passed[i] = false;
     act(do_reply_begun);
     send(from, m_begun);
     act(do_report_begun)
  :: else
  fi
}

inline on_ready_event() {
  if
  :: pstate[i] != p_passing || peer[i] != from || !passed[i] -> refuse()
  :: else ->
     disarm_timer();
     settling[i] = false;
     act(do_acknowledge_ready);
     send(from, m_readied);
     act(do_report_ready);
#if PROBATION
     pstate[i] = p_probation;
     arm_timer(do_arm_probation)
#else
     pstate[i] = p_confirming;
     asked[i] = true;
     arm_timer(do_arm_confirmation)
#endif
  fi
}

inline on_settle_event() {
  if
  :: peer[i] == from && pstate[i] == p_handed_over ->
     act(do_settle);
     send(from, m_settled)
  :: peer[i] == from && pstate[i] == p_probation ->
     if
     :: settling[i]
     :: else ->
        settling[i] = true;
        act(do_pause_accepting);
#ifndef MUTANT_NO_PAUSE
        accepts[i] = false
#endif
     fi
  :: peer[i] == from && pstate[i] == p_confirming ->
     if
#ifdef MUTANT_BELIEVES_AN_OLD_ANSWER
     :: commit_successor(true)
#else
     :: asked[i] -> commit_successor(true)
     :: else -> asked[i] = true; act(do_settle); send(from, m_ask_again)
#endif
     fi
  :: else -> refuse()
  fi
}

inline on_timeout_event() {
  if
  :: pstate[i] == p_spawning || pstate[i] == p_passing || pstate[i] == p_ending -> give_up()
#ifdef MUTANT_COMMITS_UNASKED
  :: pstate[i] == p_probation -> commit_successor(settling[i])
#else
  :: pstate[i] == p_probation -> confirm()
#endif
  :: pstate[i] == p_confirming -> resume_accepting(); give_up()
  :: else
  fi
}

inline on_shutdown_event() {
  if
  :: pstate[i] == p_ending || pstate[i] == p_spawning || pstate[i] == p_passing -> give_up()
  :: pstate[i] == p_probation || pstate[i] == p_confirming -> commit_successor(settling[i])
  :: else
  fi
}

inline predecessor_resume() {
  c_code {
    char flags[64];
    const int i = Pprocess->i;
    snprintf(flags, sizeof flags, "%d%d%d%d%d", now.child_alive[i], now.peer[i] != NOBODY_,
             now.passed[i], now.settling[i], now.asked[i]);
    record_begin("predecessor", now.pstate[i], Pprocess->ev, Pprocess->detail, flags);
  };
  if
  :: ev == on_upgrade ->
     if
     :: pstate[i] == p_serving ->
        pstate[i] = p_spawning;
        arm_timer(do_arm_timer);
        act(do_spawn);
        spawn_asked = true
     :: else
     fi
  :: ev == on_spawned -> child_alive[i] = true; act(do_report_spawned)
  :: ev == on_spawn_failed -> conclude()
  :: ev == on_begin -> on_begin_event()
  :: ev == on_fetch ->
     if
     :: pstate[i] != p_passing || peer[i] != from || passed[i] -> refuse()
     :: else ->
        passed[i] = true;
        act(do_reply_batch);
        send(from, m_batch);
        act(do_report_passed)
     fi
  :: ev == on_ready -> on_ready_event()
  :: ev == on_settle -> on_settle_event()
  :: ev == on_commit ->
     if
     :: pstate[i] == p_probation -> confirm()
     :: else
     fi
  :: ev == on_rollback ->
     if
     :: pstate[i] == p_probation || pstate[i] == p_confirming ->
        resume_accepting();
        if
        :: settling[i] -> act(do_refuse); send(peer[i], m_error)
        :: else -> abort_peer()
        fi;
        if
        :: child_alive[i] -> child_alive[i] = false; child[i] = NOBODY; act(do_retire_successor)
        :: else
        fi;
        conclude()
     :: else
     fi
  :: ev == on_fail ->
     if
     :: (pstate[i] == p_probation || pstate[i] == p_confirming) && peer[i] == from ->
        resume_accepting();
        arm_timer(do_arm_timer);
        act(do_acknowledge);
        send(from, m_acknowledged);
        await_end()
     :: pstate[i] == p_passing && peer[i] == from ->
        act(do_acknowledge); send(from, m_acknowledged); await_end()
     :: else -> refuse()
     fi
  :: ev == on_closed ->
     if
     :: peer[i] != from
     :: else ->
        if
        :: pstate[i] == p_handed_over -> peer[i] = NOBODY; act(do_report_lost)
        :: else -> lose_successor()
        fi
     fi
  :: ev == on_exited ->
     child_alive[i] = false;
     if
     :: pstate[i] == p_spawning || pstate[i] == p_ending -> conclude()
     :: (pstate[i] == p_passing || pstate[i] == p_probation || pstate[i] == p_confirming) && detail ->
        lose_successor()
     :: else
     fi
  :: ev == on_timeout -> on_timeout_event()
  :: ev == on_abort ->
     if
     :: pstate[i] == p_spawning || pstate[i] == p_passing || pstate[i] == p_ending -> give_up()
     :: else
     fi
  :: ev == on_shutdown -> on_shutdown_event()
  fi;
  /* Forgets what is known of an upgrade that is over, which makes the state smaller. */
  if
  :: peer[i] == NOBODY -> passed[i] = false; settling[i] = false; asked[i] = false
  :: else
  fi;
  c_code { record_end(now.pstate[Pprocess->i]); };
  action = 0;
  ev = 0
}
