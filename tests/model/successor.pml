/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* The successor's machine as in lib/handoff/successor.cpp, and what lib/handoff/successor_driver.cpp and
   lib/handoff/takeover.cpp do for its actions. i is the process, sev the event; detail says which reply
   it is, or after a disconnection whether the predecessor lives. Expanded within one d_step. */

inline call(m) {
  if
  :: p_open[i] && s_open[i] && !cut[i] -> calls[i]!m
  :: else
  fi
}

inline abandon() {
  action = s_do_abandon;
  c_code { record_action(now.action); };
  if
  :: sstate[i] == s_readying -> lev = l_on_not_accepted
  :: else -> call(m_fail); failed[i] = true
  fi;
  sstate[i] = s_done;
  s_open[i] = false
}

inline s_send(m) {
  action = s_do_send;
  c_code { record_action(now.action); };
  call(m)
}

inline serve() {
  action = s_do_serve;
  c_code { record_action(now.action); };
  sstate[i] = s_done;
  lev = l_on_announced
}

inline successor_resume() {
  c_code {
    record_begin("successor", now.sstate[Pprocess->i], Pprocess->sev, Pprocess->detail, "-");
  };
  if
  :: sev == s_on_connected -> sstate[i] = s_beginning; s_send(m_begin)
  :: sev == s_on_initialised -> sstate[i] = s_readying; s_send(m_ready)
  :: sev == s_on_overdue -> abandon()
  :: sev == s_on_disconnected ->
     if
     :: detail -> abandon()
#ifdef MUTANT_NO_HEIR
     :: !detail && sstate[i] == s_readying -> abandon()
#else
     :: !detail && sstate[i] == s_readying -> serve()
#endif
     :: else ->
        action = s_do_start_cold;
        c_code { record_action(now.action); };
        server[i] = NOBODY;
        s_open[i] = false
     fi
  :: sev == s_on_replied ->
     if
     :: detail == m_error -> abandon()
     :: detail == m_begun && sstate[i] == s_beginning -> sstate[i] = s_fetching; s_send(m_fetch)
     :: detail == m_batch && sstate[i] == s_fetching ->
        sstate[i] = s_complete;
        action = s_do_keep;
        c_code { record_action(now.action); };
        lock[i] = true;
        holds[i] = true
#ifdef MUTANT_SERVES_TOO_EARLY
        ; accepts[i] = true
#endif
     :: detail == m_readied && sstate[i] == s_readying -> serve()
     fi
  fi;
  c_code { record_end(now.sstate[Pprocess->i]); };
  action = 0;
  if
  :: server[i] == NOBODY -> sstate[i] = s_connecting
  :: else
  fi;
  sev = 0
}
