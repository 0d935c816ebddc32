/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
#ifndef GRACEFUL_GRACEFUL_H
#define GRACEFUL_GRACEFUL_H

#include <stddef.h> /* NOLINT(modernize-deprecated-headers) */
#include <stdint.h> /* NOLINT(modernize-deprecated-headers) */

/* For servers in C, or in any language that can call C functions: what <graceful/native.hpp> is for
   C++. That header, and <graceful/options.hpp>, explain more.

   Errors. A function that can fail returns 0 for success and otherwise a code: a positive one is a
   graceful_code, a negative one a negated errno. If `error` is not NULL, it gets the code and a sentence
   for people; on success it stays as it is. No exception leaves a function.

   Strings are UTF-8, end with a NUL byte, and are copied; so are structures. Functions that the caller
   passes are called with its `data`, which must stay valid: that of graceful_options until graceful_free
   returns, and for `log` until the last connection is released; that of a graceful_listener until its
   on_stop has returned, or graceful_free; that of on_stage until graceful_connection_release.

   Threads. All functions may be called on any thread, for one upgrader at the same time too. These
   belong on the application's loop: graceful_free, graceful_dispatch (which no function that it calls
   may call) and those of a graceful_connection.

   Growth. Members are only appended to structures; codes and stages may be added. Treat an unknown
   code as a failure, and ignore an unknown stage. */

#ifdef __cplusplus
extern "C" {
#endif

#define GRACEFUL_EXPORT __attribute__((visibility("default")))

/* NOLINTBEGIN(modernize-use-using): it is C */

/* Makes a server upgradable. */
typedef struct graceful_upgrader graceful_upgrader;

/* A connection for which a draining process waits. */
typedef struct graceful_connection graceful_connection;

/* The errors of an upgrade, as in <graceful/errc.hpp>. */
enum graceful_code {
  GRACEFUL_OK,
  GRACEFUL_ALREADY_RUNNING = 1,
  GRACEFUL_BUSY,
  GRACEFUL_NOT_RUNNING,
  GRACEFUL_PERMISSION_DENIED,
  GRACEFUL_INCOMPATIBLE_VERSION,
  GRACEFUL_NOT_ON_OFFER,
  GRACEFUL_NOT_EXPECTED,
  GRACEFUL_PROTOCOL_VIOLATION,
  GRACEFUL_DESCRIPTORS_LOST,
  GRACEFUL_WRONG_SOCKET,
  GRACEFUL_TIMED_OUT,
  GRACEFUL_PEER_GONE,
  GRACEFUL_UPGRADE_FAILED,
  GRACEFUL_PATH_IN_USE,
  GRACEFUL_PATH_TOO_LONG,
  GRACEFUL_INVALID_ARGUMENT,
  GRACEFUL_NOT_READY,
  GRACEFUL_NO_UPGRADE
};

typedef struct graceful_error {
  int code;
  char message[1020]; /* cut at a character's end if it is longer */
} graceful_error;

enum graceful_log_level { GRACEFUL_LOG_ERROR, GRACEFUL_LOG_WARNING, GRACEFUL_LOG_INFO };

/* The stages of which a tracked connection is told while its process drains, in this order. */
enum graceful_stage {
  GRACEFUL_DRAINING,         /* finish, and tell the peer */
  GRACEFUL_IDLE_GRACE_OVER,  /* close; told only to connections that are idle */
  GRACEFUL_DEADLINE          /* close, idle or not */
};

/* Begin with GRACEFUL_OPTIONS_INIT. Times are in milliseconds; a negative one, and NULL, stand for the
   default. More than a day counts as a day. Options of C++ that are not here have their defaults. */
typedef struct graceful_options {
  size_t size;               /* sizeof(graceful_options) */
  const char *name;          /* graceful-ctl finds the server by it; needed unless control_path is given */
  const char *control_path;  /* of the control socket; default: by the name */
  int64_t ready_timeout_ms;  /* how long a successor may take to be ready; default: 30 s */
  int64_t probation_ms;      /* how long the predecessor can come back after that; default: 5 s */
  int64_t drain_timeout_ms;  /* how long connections have when this process drains; default: 5 min */
  int64_t idle_grace_ms;     /* how long idle ones have; default: 5 s */
  void *data;                /* passed to the functions below */
  /* NULL: standard error. Called on any thread, one at a time; must not call the library. */
  void (*log)(void *data, int level, const char *text);
  /* Where the application's functions run, "the loop". By default a thread of the library. If
     `dispatch` is not 0: within graceful_dispatch, which the application's event loop calls whenever
     graceful_descriptor is readable. */
  int dispatch;
  /* Or the application has a function that runs run(task) later on its loop: each task once, in their
     order, after graceful_free too. It may be called on any thread, and must neither block nor call
     run itself. An error to give both this and `dispatch`. */
  void (*post)(void *data, void (*run)(void *task), void *task);
  void (*on_commit)(void *data); /* this process stays: do what cannot be undone */
  void (*on_drain)(void *data);  /* it drains: a successor serves, it was rolled back or told to end */
  void (*on_end)(void *data);    /* nothing is left to wait for: leave the loop. Called once, last */
} graceful_options;

#define GRACEFUL_OPTIONS_INIT { sizeof(graceful_options), 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0 }

/* What the application does with a listening socket; each function runs on the loop. A listener without
   on_pause or on_resume is parked in a probation: see <graceful/native.hpp>. Begin with
   GRACEFUL_LISTENER_INIT. */
typedef struct graceful_listener {
  size_t size; /* sizeof(graceful_listener) */
  void *data;
  int (*on_resume)(void *data); /* accept from the descriptor; not 0: cannot, so this process drains */
  void (*on_pause)(void *data); /* stop accepting; keep the descriptor */
  void (*on_stop)(void *data);  /* take it out of the loop and close it, for good */
  int backlog;                  /* length of the accept queue; 0: the default, 4096 */
  int blocking;                 /* not 0: accept(2) on the descriptor waits; do not block SIGURG */
} graceful_listener;

#define GRACEFUL_LISTENER_INIT { sizeof(graceful_listener), 0, 0, 0, 0, 0, 0 }

/* The version of the library, like "0.1.0". Not to be freed. */
GRACEFUL_EXPORT const char *graceful_version(void);

/* Starts cold, or takes over from a predecessor; blocks for at most 10 s a step. Call it early: it takes
   variables out of the environment. On an error *upgrader is NULL; otherwise it belongs to the caller. */
GRACEFUL_EXPORT int graceful_new(const graceful_options *options, graceful_upgrader **upgrader,
                                 graceful_error *error);

/* Ends the library's threads; calls no function of the application. Call it when something else has failed,
   too: it tells the predecessor, and so graceful-ctl, why. A function of the application may call it as
   the last thing that it does. NULL is allowed. Connections may be released later. */
GRACEFUL_EXPORT void graceful_free(graceful_upgrader *upgrader);

/* With `dispatch`, the descriptor that the loop watches for reading, always the same one; otherwise -1.
   Neither read nor close it, and stop watching it before graceful_free, which closes it. */
GRACEFUL_EXPORT int graceful_descriptor(const graceful_upgrader *upgrader);

/* Calls the application's functions that are due. Does not block. */
GRACEFUL_EXPORT void graceful_dispatch(graceful_upgrader *upgrader);

/* Listens on `address`: "127.0.0.1:8080", "[::1]:8080"; port 0 is any port. *descriptor belongs to the
   caller: close-on-exec, and non-blocking unless `blocking`. On an error it is -1. `listener` may be
   NULL. Blocks for 0.3 s while the address is in use. */
GRACEFUL_EXPORT int graceful_listen(graceful_upgrader *upgrader, const char *name, const char *address,
                                    const graceful_listener *listener, int *descriptor,
                                    graceful_error *error);

/* Writes the address of a listener, with its real port, like snprintf(3): returns the length that it
   has, 0 if there is no such listener. */
GRACEFUL_EXPORT size_t graceful_address(const graceful_upgrader *upgrader, const char *name, char *text,
                                        size_t size);

/* Stops listening for good: no successor gets the socket, and on_stop is called. Returns 0 if there is no
   such listener, or it is being handed over: try again. */
GRACEFUL_EXPORT int graceful_withdraw(graceful_upgrader *upgrader, const char *name);

/* This process has initialised, and serves from now on. Blocks for at most 10 s. After an error the
   predecessor still serves: free the upgrader, and end the process. A second call does nothing. */
GRACEFUL_EXPORT int graceful_ready(graceful_upgrader *upgrader, graceful_error *error);

/* SIGTERM and SIGINT drain, the second one at once; SIGQUIT drains; SIGUSR2 upgrades. */
GRACEFUL_EXPORT int graceful_handle_signals(graceful_upgrader *upgrader, graceful_error *error);

/* Ends this process without a successor, gracefully; or at once: connections are told the deadline. */
GRACEFUL_EXPORT void graceful_drain(graceful_upgrader *upgrader);
GRACEFUL_EXPORT void graceful_drain_now(graceful_upgrader *upgrader);

/* Not 0 as soon as this process drains. */
GRACEFUL_EXPORT int graceful_draining(const graceful_upgrader *upgrader);

/* 1 for a cold start, otherwise the predecessor's plus 1. */
GRACEFUL_EXPORT uint64_t graceful_generation(const graceful_upgrader *upgrader);

/* Blocks until on_end is due. Waits for tracked connections only. Not on the application's loop. */
GRACEFUL_EXPORT void graceful_wait_end(graceful_upgrader *upgrader);

/* A draining process waits for this connection until it is released, and for no others. on_stage runs on
   the loop, and may release the connection; it may be NULL, and has to be where a thread of the library
   is the loop. */
GRACEFUL_EXPORT int graceful_track(graceful_upgrader *upgrader,
                                   void (*on_stage)(void *data, int stage), void *data,
                                   graceful_connection **connection, graceful_error *error);

/* Says whether closing the connection now would lose nothing. It is not idle at first. */
GRACEFUL_EXPORT void graceful_connection_idle(graceful_connection *connection, int is_idle);

/* NULL is allowed. */
GRACEFUL_EXPORT void graceful_connection_release(graceful_connection *connection);

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
