/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* The life of a process, line by line as in lib/server/life.cpp, and the effect of each of its actions.
   i is the process, lev the event. What ready() does for an action, and what the control thread does,
   are steps of their own in handoff.pml. Expanded within one d_step. */

inline live(a) { action = a; c_code { record_action(now.action); } }

inline let_go() { accepts[i] = false; holds[i] = false; lock[i] = false; serves[i] = false }

inline tell_end() { live(l_do_tell_end) }

inline refuse_to_be_ready() { live(l_do_refuse_ready); failed[i] = true }

inline end_alone() { live(l_do_end_alone); accepts[i] = false; holds[i] = false }

inline stay() { live(l_do_stay) }

inline serve_path() { live(l_do_serve_path); serves[i] = true }

inline settle_upgrade() { live(l_do_settle_upgrade); settles = true }

inline ask_back() { live(l_do_ask_back); order[i] = true }

inline go_back() {
  live(l_do_go_back);
  printf("%d: goes back\n", i);
  let_go();
  s_open[i] = false;
  decided[i] = true
}

inline on_ready_called_event() {
  if
  :: stage[i] == l_unready -> refuse_to_be_ready()
  :: stage[i] == l_draining && !ready[i] ->
     if
     :: !committed[i] -> refuse_to_be_ready()
     :: else -> ready[i] = true; live(l_do_say_unserved)
     fi
  :: stage[i] == l_starting ->
     if
     :: committed[i] -> stage[i] = l_opening; live(l_do_open)
     :: else -> stage[i] = l_announcing; live(l_do_announce); sev = s_on_initialised
     fi
  :: else
  fi
}

inline on_opened_event() {
  ready[i] = true;
  accepts[i] = true;
  holds[i] = true;
  if
  :: committed[i] ->
     stage[i] = l_serving;
     live(l_do_say_serves);
     if
     :: told[i] -> tell_end(); settle_upgrade()
     :: else
     fi
  :: else ->
     live(l_do_watch);
     if
#ifndef MUTANT_FORGETS_ITS_ORDER
     :: told[i] -> stage[i] = l_leaving; tell_end(); ask_back()
#endif
     :: else -> stage[i] = l_probation
     fi
  fi
}

inline on_told_event(again) {
  told[i] = true;
  if
  :: stage[i] == l_starting || stage[i] == l_unready -> stage[i] = l_draining; tell_end(); end_alone()
  :: stage[i] == l_announcing && !again -> live(l_do_break_off); s_open[i] = false
  :: stage[i] == l_probation -> stage[i] = l_leaving; tell_end(); ask_back()
  :: stage[i] == l_leaving && lev == l_on_told_to_end_now -> stage[i] = l_handed_over; go_back()
  :: stage[i] == l_serving && !again -> tell_end(); settle_upgrade()
  :: DRAINS(i) && lev == l_on_told_to_end_now -> live(l_do_hurry)
  :: else
  fi
}

inline life_resume() {
  c_code {
    char flags[8];
    const int i = Pprocess->i;
    snprintf(flags, sizeof flags, "%d%d%d", now.committed[i], now.ready[i], now.told[i]);
    record_begin("life", now.stage[i], Pprocess->lev, 0, flags);
  };
  if
  :: lev == l_on_ready_called -> on_ready_called_event()
  :: lev == l_on_announced ->
     if
     :: stage[i] != l_announcing
     :: stage[i] == l_announcing && !told[i] -> stage[i] = l_opening; live(l_do_open)
     :: stage[i] == l_announcing && told[i] ->
        ready[i] = true;
        stage[i] = l_handed_over;
        tell_end();
        go_back()
     fi
  :: lev == l_on_not_accepted ->
     if
     :: stage[i] == l_announcing ->
        stage[i] = l_unready;
        refuse_to_be_ready();
        if
        :: told[i] -> stage[i] = l_draining; tell_end(); end_alone()
        :: else
        fi
     :: else
     fi
  :: lev == l_on_opened ->
     if
     :: stage[i] == l_opening -> on_opened_event()
     :: else
     fi
  :: lev == l_on_given_up ->
     if
     :: ready[i] || committed[i]
     :: else ->
        if
        :: stage[i] == l_starting -> stage[i] = l_unready
        :: else
        fi;
        if
        :: stage[i] == l_unready || stage[i] == l_draining ->
           live(l_do_give_back);
           holds[i] = false;
           lock[i] = false;
           failed[i] = true
        :: else
        fi
     fi
  :: lev == l_on_told_to_end || lev == l_on_told_to_end_now ->
     if
     :: told[i] -> on_told_event(true)
     :: else -> on_told_event(false)
     fi
  :: lev == l_on_upgrade_settled ->
     if
     :: stage[i] == l_serving && told[i] -> stage[i] = l_draining; end_alone()
     :: else
     fi
  :: lev == l_on_committed ->
     if
     :: stage[i] == l_probation ->
        committed[i] = true; stage[i] = l_serving; stay(); serve_path()
     :: stage[i] == l_leaving ->
        committed[i] = true; stage[i] = l_draining; stay(); end_alone(); serve_path()
     :: else
     fi
  :: lev == l_on_rolled_back ->
     if
     :: IN_PROBATION_ITSELF(i) -> stage[i] = l_handed_over; go_back()
     :: else
     fi
  :: lev == l_on_succeeded ->
     if
     :: stage[i] == l_serving -> stage[i] = l_handed_over; live(l_do_hand_over); let_go()
     :: else
     fi
  fi;
  c_code { record_end(now.stage[Pprocess->i]); };
  action = 0;
  lev = 0
}
