/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* Upgrades of one server, with everything that may happen to them: see "The model" in docs/design.md.

   A process is a place in the arrays below. Place 0 serves from the start. An upgrade starts another
   process, directly or through a shell, or something else starts it with the option to take over. Each
   place is used once, so that every run ends: "in the end" nothing more can happen. One step is what
   the control thread does for one event, or the main thread between two waits.

   FAULTS bounds how many processes are killed, fail to initialise, are stopped (SIGSTOP, core dump;
   they may resume at some time), or have an application that hangs (for good, while the control thread
   goes on), and how many connections break. Operators, SIGTERM, time and the ends of drains are not
   bounded: a timeout may come whenever its timer is armed. */

#ifndef PROBATION
#define PROBATION 1
#endif
#define PLACES 3
#ifndef FAULTS
#define FAULTS 1
#endif
#define NOBODY PLACES

c_decl {
\#include "recorder.h"
};

/* The names of lib/handoff and lib/server/life.hpp: `compare_transitions` fails if they differ. */
mtype:predecessor_state = { p_serving, p_spawning, p_passing, p_ending, p_probation, p_confirming,
  p_handed_over };
mtype:predecessor_event = { on_upgrade, on_spawned, on_spawn_failed, on_begin, on_fetch, on_ready,
  on_fail, on_settle, on_closed, on_exited, on_timeout, on_abort, on_commit, on_rollback,
  on_shutdown };
mtype:predecessor_action = { do_spawn, do_arm_timer, do_arm_probation, do_arm_confirmation,
  do_disarm_timer, do_reply_begun, do_reply_batch, do_pause_accepting, do_resume_accepting,
  do_stop_accepting, do_acknowledge_ready, do_acknowledge, do_settle, do_refuse, do_abort_peer,
  do_kill_successor, do_retire_successor, do_report_spawned, do_report_begun, do_report_passed,
  do_report_ready, do_report_committed, do_report_failed, do_report_lost };
mtype:successor_state = { s_connecting, s_beginning, s_fetching, s_complete, s_readying, s_done };
mtype:successor_event = { s_on_connected, s_on_replied, s_on_garbled, s_on_initialised,
  s_on_disconnected, s_on_overdue };
mtype:successor_action = { s_do_send, s_do_keep, s_do_serve, s_do_start_cold, s_do_abandon };
mtype:life_state = { l_starting, l_announcing, l_opening, l_unready, l_probation, l_leaving,
  l_serving, l_draining, l_handed_over };
mtype:life_event = { l_on_ready_called, l_on_announced, l_on_not_accepted, l_on_opened, l_on_given_up,
  l_on_told_to_end, l_on_told_to_end_now, l_on_upgrade_settled, l_on_committed, l_on_rolled_back,
  l_on_succeeded };
mtype:life_action = { l_do_announce, l_do_open, l_do_refuse_ready, l_do_say_serves, l_do_say_unserved,
  l_do_watch, l_do_break_off, l_do_give_back, l_do_tell_end, l_do_settle_upgrade, l_do_ask_back,
  l_do_stay, l_do_serve_path, l_do_end_alone, l_do_go_back, l_do_hand_over, l_do_hurry };
mtype:message = { m_begin, m_fetch, m_ready, m_settle, m_fail,
  m_begun, m_batch, m_readied, m_settled, m_ask_again, m_acknowledged, m_error };

#define no_token 0
#define right_token 1
#define stale_token 2

/* Of each process. */
bool used[PLACES], alive[PLACES], stopped[PLACES];
bool accepts[PLACES];   /* on the listening sockets */
bool holds[PLACES];     /* the listening sockets are open */
bool lock[PLACES];      /* and so are the lock and the control socket */
bool serves[PLACES];    /* answers on the control socket */
bool failed[PLACES];    /* will never be ready, and ends by itself */
bool hung[PLACES];      /* its application hangs; its control thread does not */

/* Its life. */
mtype:life_state stage[PLACES] = l_starting;
bool ready[PLACES], committed[PLACES], told[PLACES];
#define DRAINS(p) (stage[p] == l_draining || stage[p] == l_handed_over)
#define IN_PROBATION_ITSELF(p) (stage[p] == l_probation || stage[p] == l_leaving)

/* As a predecessor. */
mtype:predecessor_state pstate[PLACES] = p_serving;
byte peer[PLACES] = NOBODY, child[PLACES] = NOBODY;
bool child_alive[PLACES], settling[PLACES], asked[PLACES], passed[PLACES], timer[PLACES];
bool shell[PLACES];     /* the spawned process is a shell, which started the successor */

/* As a successor; its connection has its own number. */
mtype:successor_state sstate[PLACES] = s_connecting;
byte server[PLACES] = NOBODY;   /* the process that it has connected to */
#ifdef MUTANT_BELIEVES_THE_LISTENER
/* SO_PEERCRED names the process whose end it takes for that of its server. This is the generation
   before, if it connected after that had let go of the control socket and before the next one called
   listen(2). */
byte named[PLACES] = NOBODY;
#define PREDECESSOR(p) named[p]
#else
#define PREDECESSOR(p) server[p]
#endif
byte spawner[PLACES] = NOBODY;  /* whose token it has */
bool p_open[PLACES], s_open[PLACES];  /* the ends of the predecessor and the successor */
bool cut[PLACES];       /* it has broken: to each side the other seems to have closed it */
chan calls[PLACES] = [2] of { mtype:message };
chan replies[PLACES] = [3] of { mtype:message };
bool watching[PLACES], decided[PLACES];  /* the watch runs; it knows the outcome */
bool order[PLACES];     /* its call of Rollback waits at the control socket */

byte faults = FAULTS;
bool outside = true;    /* orders, signals and accidents still happen */
bool excused;           /* no process can serve after what has happened: see the properties */
bool spawn_asked;
byte action;            /* for the recorder */
c_decl { enum { NOBODY_ = 3 }; };

#include "properties.pml"

inline forget(channel) {
  do
  :: nempty(channel) -> channel?_
  :: empty(channel) -> break
  od
}

/* The kernel closes everything that an ended process had. What it sent can still be read. */
inline die(who) {
  alive[who] = false; stopped[who] = false;
  accepts[who] = false; holds[who] = false; lock[who] = false; serves[who] = false;
  timer[who] = false; order[who] = false;
  child[who] = NOBODY; child_alive[who] = false; shell[who] = false;
  settling[who] = false; asked[who] = false; passed[who] = false; peer[who] = NOBODY;
  pstate[who] = p_serving; sstate[who] = s_done;
  watching[who] = false; decided[who] = false; failed[who] = false; hung[who] = false;
  stage[who] = l_starting; ready[who] = false; committed[who] = false; told[who] = false;
  s_open[who] = false;
  forget(replies[who]);
  k = 1;
  do
  :: k == PLACES -> break
  :: k < PLACES && server[k] == who -> p_open[k] = false; forget(calls[k]); k++
  :: else -> k++
  od;
  k = 0
}

inline start_place(who, whose) {
  used[who] = true; alive[who] = true; spawner[who] = whose;
  sstate[who] = s_connecting
}

/* predecessor_watch.cpp: the outcome of the probation, which it looks at no more. */
inline decide(outcome) {
  forget(replies[i]);
  decided[i] = true;
  lev = outcome
}

/* confirmation.cpp: only the application can say that this process serves. predecessor_watch::confirm:
   one that is about to end does not say so. */
#ifdef MUTANT_ANSWERS_FOR_THE_APPLICATION
#define APPLICATION_ANSWERS true
#else
#define APPLICATION_ANSWERS (!hung[i])
#endif
#ifdef MUTANT_STAYS_AND_GOES
#define LEAVES false
#else
#define LEAVES (stage[i] == l_leaving)
#endif
inline confirm_that_i_serve() {
  if
  :: LEAVES
  :: !LEAVES && APPLICATION_ANSWERS -> printf("%d: is still there\n", i); call(m_settle)
  :: else -> call(m_fail); decide(l_on_rolled_back)
  fi
}

#include "life.pml"
#include "predecessor.pml"
#include "successor.pml"

#define UP (alive[i] && !stopped[i])
#define UNDER_WAY (pstate[i] == p_spawning || pstate[i] == p_passing || pstate[i] == p_ending)
#define IN_PROBATION (pstate[i] == p_probation || pstate[i] == p_confirming)
/* lifecycle::refusal */
#define REFUSES ((DRAINS(i) && pstate[i] != p_handed_over) || (ready[i] && !committed[i]) || !ready[i])
#define AWAITS_REPLY (sstate[i] == s_beginning || sstate[i] == s_fetching || sstate[i] == s_readying)
#define FREE (!used[1] || !used[2])
#define NEXT_PLACE (!used[1] -> 1 : 2)
#define PASSED_TO(p) (replies[p]??[m_batch])  /* descriptors on their way are open too */
#define LOCKED (lock[0] || lock[1] || lock[2] || PASSED_TO(1) || PASSED_TO(2))
#define SERVED_BY(t) (t != i && serves[t])

/* Assumption: before the next Begin, and before a drain is over, a running process has time to notice
   that its own upgrade is over: 1 s if a connection has broken. */
#define STILL_TO_HEAR(q) (alive[q] && !stopped[q] && server[q] == i && !failed[q] && \
                          !committed[q] && !DRAINS(q) && \
                          (replies[q]??[m_error] || (P_ENDED(q) && !replies[q]??[m_settled])))

/* A call on connection c, or its end. predecessor_driver::handoff: the calls of a successor that has
   gone since are not believed. */
#define CONNECTION(c) \
  :: UP && server[c] == i && p_open[c] && nempty(calls[c]) && !(settling[i] && peer[i] == c) && \
     !(calls[c]?[m_begin] && (STILL_TO_HEAR(1) || STILL_TO_HEAR(2))) -> \
     calls[c]?said; from = c; \
     if \
     :: REFUSES -> d_step { send(c, m_error) } \
     :: !REFUSES && said == m_begin -> ev = on_begin; \
        detail = (spawner[c] == NOBODY -> no_token : \
                  (pstate[i] == p_spawning && spawner[c] == i && child[i] == c -> right_token : stale_token)) \
     :: !REFUSES && said == m_fetch -> ev = on_fetch \
     :: !REFUSES && said == m_ready -> ev = (GONE(c) -> on_closed : on_ready) \
     :: !REFUSES && said == m_settle -> ev = (GONE(c) && peer[i] == c -> on_closed : on_settle) \
     :: !REFUSES && said == m_fail -> ev = on_fail \
     fi; \
     if \
     :: ev == on_closed -> p_open[c] = false; forget(calls[c]) \
     :: else \
     fi; \
     said = 0 \
  :: UP && server[c] == i && p_open[c] && empty(calls[c]) && S_ENDED(c) -> \
     p_open[c] = false; from = c; ev = on_closed

#ifdef MUTANT_BELIEVES_THE_DEAD
#define GONE(c) false
#else
#define GONE(c) S_ENDED(c)
#endif

proctype process(byte i) {
  mtype:predecessor_event ev;
  mtype:successor_event sev;
  mtype:life_event lev;
  mtype:message said;
  byte from, detail, ending, k;
  bool by_fault, exiting, settles;
end:
  do
  :: atomic {
       if
       /* As a predecessor: its connections, its spawned process, and time. */
       CONNECTION(1)
       CONNECTION(2)
       :: UP && child[i] != NOBODY && !shell[i] && !alive[child[i]] ->
          detail = (peer[i] == child[i] && p_open[child[i]]);
          child[i] = NOBODY; ev = on_exited
       :: UP && child[i] != NOBODY && shell[i] ->
          child[i] = NOBODY; shell[i] = false; ev = on_exited
       :: UP && timer[i] -> timer[i] = false; ev = on_timeout

       /* Operators. */
       :: outside && UP && serves[i] && !REFUSES && pstate[i] == p_serving && FREE -> ev = on_upgrade
       :: outside && UP && serves[i] && UNDER_WAY && !(pstate[i] == p_ending && !timer[i]) &&
          !(pstate[i] == p_ending && !shell[i] && !alive[child[i]]) -> ev = on_abort
       :: outside && UP && serves[i] && pstate[i] == p_probation -> ev = on_commit
       :: outside && UP && serves[i] && IN_PROBATION -> ev = on_rollback

       /* A successor asks for a rollback. */
       :: UP && serves[i] && order[1] ->
          order[1] = false; ev = (IN_PROBATION -> on_rollback : 0)
       :: UP && serves[i] && order[2] ->
          order[2] = false; ev = (IN_PROBATION -> on_rollback : 0)

       /* SIGTERM; and once more, or `drain --now`. */
       :: outside && UP && !told[i] && !(IN_PROBATION_ITSELF(i) && !watching[i]) && !DRAINS(i) && (!failed[i] || stage[i] == l_unready) ->
          printf("%d: SIGTERM\n", i); by_fault = true;
          if
          :: lev = l_on_told_to_end
          :: lev = l_on_told_to_end_now
          fi
       :: outside && UP && (stage[i] == l_leaving || DRAINS(i)) ->
          printf("%d: SIGTERM again\n", i); by_fault = true; lev = l_on_told_to_end_now

       /* The drain is over. */
       :: UP && (DRAINS(i) || failed[i]) && !hung[i] && !STILL_TO_HEAR(1) && !STILL_TO_HEAR(2) -> ev = on_shutdown; exiting = true

       /* As a starting successor: takeover.cpp. */
       :: UP && sstate[i] == s_connecting && server[i] == NOBODY && !failed[i] ->
          if
          :: SERVED_BY(0) -> server[i] = 0
          :: SERVED_BY(1) -> server[i] = 1
          :: SERVED_BY(2) -> server[i] = 2
          :: !serves[0] && !serves[1] && !serves[2] && LOCKED -> failed[i] = true
          :: !LOCKED -> lock[i] = true; serves[i] = true; committed[i] = true; sstate[i] = s_done
          fi;
          if
          :: server[i] != NOBODY -> p_open[i] = true; s_open[i] = true; sev = s_on_connected
          :: else
          fi
#ifdef MUTANT_BELIEVES_THE_LISTENER
          ;
          if
          :: named[i] = server[i]
          :: server[i] != NOBODY && server[server[i]] != NOBODY -> named[i] = server[server[i]]
          fi
#endif
       :: UP && AWAITS_REPLY && nempty(replies[i]) ->
          replies[i]?detail; sev = s_on_replied
       :: UP && AWAITS_REPLY && empty(replies[i]) && (P_ENDED(i) || !s_open[i]) ->
          sev = s_on_disconnected; detail = alive[PREDECESSOR(i)]
       :: UP && AWAITS_REPLY && empty(replies[i]) && !P_ENDED(i) && s_open[i] -> sev = s_on_overdue
       :: UP && sstate[i] == s_complete && !failed[i] && (nempty(replies[i]) || (P_ENDED(i) && alive[PREDECESSOR(i)])) ->
          lev = l_on_given_up
       :: UP && sstate[i] == s_complete && !failed[i] && !hung[i] -> lev = l_on_ready_called
       :: UP && sstate[i] == s_complete && !failed[i] && outside && faults > 0 ->  /* it cannot initialise */
          faults--; by_fault = true; failed[i] = true; call(m_fail); s_open[i] = false
       :: UP && sstate[i] == s_done && committed[i] && !ready[i] && !hung[i] &&
          (stage[i] == l_starting || (outside && stage[i] == l_draining)) -> lev = l_on_ready_called
       :: outside && UP && stage[i] == l_unready && !hung[i] -> lev = l_on_ready_called
       :: UP && stage[i] == l_opening -> lev = l_on_opened

       /* A successor without this library gives up when it is ready. */
       :: UP && IN_PROBATION_ITSELF(i) && !watching[i] && outside && faults > 0 ->
          printf("%d: gives up\n", i); faults--; by_fault = true; call(m_fail); decide(l_on_rolled_back)

       /* After ready: predecessor_watch.cpp. */
       :: UP && IN_PROBATION_ITSELF(i) && !watching[i] ->
          printf("%d: asks to settle\n", i); watching[i] = true;
#if PROBATION
          call(m_settle)
#else
          confirm_that_i_serve()
#endif
       :: UP && watching[i] && !decided[i] && nempty(replies[i]) ->
          replies[i]?said;
          if
          :: said == m_settled -> decide(l_on_committed)
          :: said == m_ask_again -> confirm_that_i_serve()
          :: said == m_error -> decide(l_on_rolled_back)
          fi;
          said = 0
       /* predecessor_watch::decided: its last message counts before its death. */
       :: UP && watching[i] && !decided[i] && empty(replies[i]) && !alive[PREDECESSOR(i)] ->
#ifdef MUTANT_NO_DEATH_WATCH
          decide(l_on_rolled_back)
#else
          decide(l_on_committed)
#endif
       :: UP && watching[i] && !decided[i] && empty(replies[i]) && P_ENDED(i) && alive[PREDECESSOR(i)] ->
          by_fault = stopped[server[i]]; decide(l_on_rolled_back)
       :: UP && stage[i] == l_leaving && !decided[i] -> by_fault = true; decide(l_on_rolled_back)
       fi;

       do
       :: ev != 0 ->
          printf("%d: predecessor %d %d from %d, %d\n", i, pstate[i], ev, from, detail);
          d_step { predecessor_resume(); from = 0; detail = 0 };
          if
          :: spawn_asked ->
             spawn_asked = false;
             if
             :: child[i] = NEXT_PLACE; ev = on_spawned; start_place(child[i], i);
                if
                :: shell[i] = true
                :: skip
                fi
             :: ev = on_spawn_failed
             fi
          :: else
          fi
       :: ev == 0 && lev != 0 ->
          printf("%d: life %d %d\n", i, stage[i], lev);
          d_step { life_resume() }
       :: ev == 0 && lev == 0 && sev != 0 ->
          printf("%d: successor %d %d, %d\n", i, sstate[i], sev, detail);
          d_step { successor_resume(); detail = 0 }
       /* lifecycle::settle_upgrade: what has happened to the successor comes first. */
       :: ev == 0 && lev == 0 && sev == 0 && settles ->
          settles = false; ending = 1; ev = on_shutdown;
          if
          :: IN_PROBATION && GONE(peer[i]) ->
             from = peer[i]; p_open[from] = false; forget(calls[from]); ending = 2; ev = on_closed
          :: else
          fi
       :: ev == 0 && lev == 0 && sev == 0 && ending == 2 -> ending = 1; ev = on_shutdown
       :: ev == 0 && lev == 0 && sev == 0 && ending == 1 -> ending = 0; lev = l_on_upgrade_settled
       :: ev == 0 && lev == 0 && sev == 0 && !settles && ending == 0 -> break
       od;
       d_step {
         if
         :: exiting -> printf("%d: ends\n", i); die(i); exiting = false
         :: else
         fi;
         look(by_fault || (serves[i] && hung[i]));  /* it takes back what it cannot serve */
         by_fault = false
       }
     }
  od
}

#define FAULT(who) \
  :: faults > 0 && alive[who] -> faults--; printf("%d is killed\n", who); die(who) \
  :: faults > 0 && alive[who] && !stopped[who] -> faults--; printf("%d is stopped\n", who); stopped[who] = true \
  :: faults > 0 && alive[who] && !stopped[who] -> faults--; printf("the application of %d hangs\n", who); hung[who] = true \
  :: stopped[who] -> printf("%d goes on\n", who); stopped[who] = false

#define BREAK(c) \
  :: faults > 0 && p_open[c] && s_open[c] && !cut[c] -> faults--; printf("the connection of %d breaks\n", c); cut[c] = true; broken = true

active proctype surroundings() {
  byte k;
  bool broken;
end:
  do
  :: atomic {
       if
       FAULT(0)
       FAULT(1)
       FAULT(2)
       BREAK(1)
       BREAK(2)
       :: FREE -> k = NEXT_PLACE; printf("%d is started to take over\n", k); start_place(k, NOBODY); k = 0
       :: printf("nothing more comes from outside\n"); outside = false; goto over
       fi;
       d_step { look(!broken); broken = false }  /* a broken connection does not excuse anything */
     }
  od;
over:
  skip
}

/* When nothing more can happen. */
active proctype the_end() {
end:
  timeout -> in_the_end()
}

init {
  atomic {
    used[0] = true; alive[0] = true; stage[0] = l_serving; ready[0] = true; committed[0] = true;
    accepts[0] = true; holds[0] = true; lock[0] = true; serves[0] = true; sstate[0] = s_done;
    run process(0);
    run process(1);
    run process(2)
  }
}
