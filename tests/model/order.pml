/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* An order, and a caller that does not wait for ever: "An order dies with its caller" in
   docs/design.md. One step is one system call. The server may be stopped before each of its steps, for
   any time, and the caller may be killed before each of its own. The calls of a successor, and those
   that want no answer, are exempt.

   Assertions: an order that its caller has reported as void is never carried out; an answered order was
   carried out; and no order is carried out that the server has read after its caller had gone. */

bool unread;        /* the call waits in the server's socket: SIOCOUTQ of the caller's socket is not 0 */
bool hung_up;       /* the caller has called shutdown(2), or has ended: POLLHUP */
bool carried_out, said_void, answered;
bool dead_when_read;

active proctype caller() {
  bool was_unread;
  unread = true;  /* send(2) */
  if
  :: atomic { answered -> assert(carried_out) }
  :: true ->  /* it has waited long enough, or is interrupted: control_client::give_up */
#ifdef MUTANT_ASKS_BEFORE_IT_HANGS_UP
     was_unread = unread;
     hung_up = true;
#else
     hung_up = true;
     was_unread = unread;
#endif
     atomic {
       if
       :: was_unread -> said_void = true; assert(!carried_out)
       :: else  /* it reports that the order may still be carried out */
       fi
     }
  :: hung_up = true  /* killed */
  fi
}

active proctype server() {
  bool gone;
end:
  unread;
#ifdef MUTANT_LOOKS_BEFORE_IT_READS
  gone = hung_up;
  atomic { unread = false; dead_when_read = hung_up };
#else
  atomic { unread = false; dead_when_read = hung_up };
  gone = hung_up;
#endif
  if
  :: gone  /* dropped and logged */
  :: else ->
     atomic { carried_out = true; assert(!said_void && !dead_when_read) };
     answered = !hung_up
  fi
}
