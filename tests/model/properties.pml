/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* The assertions.

   (a) After each step a process accepts or is about to, unless that is excused. A process is about to
       accept if it has the sockets and can already see why it must accept: the answer to Ready waits to
       be read, the predecessor of a process that has everything is dead, or the successor of a paused
       predecessor is dead, stopped, going, or no longer connected. Only events from outside are an
       excuse (death, SIGSTOP, an application that hangs, SIGTERM, a predecessor that takes the sockets
       back although its application hangs), and only if no process is left that could accept: alive,
       with the sockets, running, not told to end, not handed over, and not waiting for a live
       predecessor.
   (b) No two processes accept, except at both ends of a probation: until the predecessor has read the
       first Settle, which says that the successor accepts; and at the moment of a resumption, when the
       successor can read that its probation is over.
   (c) Without further events from outside, every run comes to an end in which each running process
       serves or is gone: see in_the_end.
   (d) See conclude() in predecessor.pml, and (c): in the end the next upgrade can begin. */

#define P_ENDED(c) (!p_open[c] || cut[c])  /* as the successor sees the connection */
#define S_ENDED(c) (!s_open[c] || cut[c])  /* as the predecessor does */

/* In its probation, and the predecessor says that it accepts again, or will be taken to. */
#define TOLD_TO_GO(p) (replies[p]??[m_error] || \
  ((ready[p] || sstate[p] == s_readying || stage[p] == l_opening) && !committed[p] && P_ENDED(p) && alive[server[p]] && !replies[p]??[m_settled]))
#define GOES(p) (told[p] || DRAINS(p) || failed[p] || TOLD_TO_GO(p))
#define RUNS(p) (alive[p] && !stopped[p] && !hung[p] && !GOES(p))
#define PAUSED(p) (pstate[p] == p_probation || pstate[p] == p_confirming)
#define LOST(c) (!alive[c] || stopped[c] || hung[c] || S_ENDED(c) || GOES(c))
/* The successor has confirmed: whatever happens to it now happens after the commit. */
#define CONFIRMED(p) (pstate[p] == p_confirming && asked[p] && calls[peer[p]]??[m_settle] && !S_ENDED(peer[p]))
/* A process that still accepts, but will stop as soon as it has read that, does not count. */
#define HANDS_OVER(p) (PAUSED(p) && CONFIRMED(p))
#define HEIR(p) (server[p] != NOBODY && !alive[server[p]])

#define ABOUT_TO(p) ( \
  (PAUSED(p) && LOST(peer[p]) && !CONFIRMED(p)) || \
  (sstate[p] == s_readying && (replies[p]??[m_readied] || HEIR(p))) || \
  (sstate[p] == s_complete && HEIR(p)) || \
  (sstate[p] == s_done && committed[p] && !ready[p]) || stage[p] == l_opening)
#define SERVED(p) (RUNS(p) && ((accepts[p] && !HANDS_OVER(p)) || ABOUT_TO(p)))
#define COULD(p) (RUNS(p) && holds[p] && !HANDS_OVER(p) && (ready[p] || stage[p] == l_opening || HEIR(p)))

#define RESUMED_ABOVE(p) (ready[p] && !committed[p] && (TOLD_TO_GO(p) || P_ENDED(p)))
#define NOT_YET_PAUSED(p) (server[p] != NOBODY && peer[server[p]] == p && PAUSED(server[p]) && !settling[server[p]])
#define BOTH_MAY(p) (RESUMED_ABOVE(p) || (ready[p] && !committed[p] && NOT_YET_PAUSED(p)))
#define ONE_OF(p, q) (!(accepts[p] && accepts[q]) || BOTH_MAY(p) || BOTH_MAY(q))

inline look(from_outside) {
  if
  :: SERVED(0) || SERVED(1) || SERVED(2) -> excused = false
  :: else ->
     if
     :: from_outside && !COULD(0) && !COULD(1) && !COULD(2) -> excused = true
     :: else -> assert(excused)  /* (a) */
     fi
  fi;
  assert(ONE_OF(0, 1) && ONE_OF(0, 2) && ONE_OF(1, 2));  /* (b) */
  assert(serves[0] + serves[1] + serves[2] <= 1)
}

/* A successor stays in its probation, and serves, as long as its predecessor is stopped. */
#define SETTLED(p) (committed[p] || stopped[server[p]])
#define ENDS_WELL(p) (!alive[p] || stopped[p] || hung[p] || ( \
  accepts[p] && holds[p] && ready[p] && SETTLED(p) && !GOES(p) && \
  pstate[p] == p_serving && sstate[p] == s_done && !timer[p] && child[p] == NOBODY))

inline in_the_end() { assert(ENDS_WELL(0) && ENDS_WELL(1) && ENDS_WELL(2)) }  /* (c) */
