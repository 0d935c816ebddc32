/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
#ifndef GRACEFUL_GRACEFUL_H
#define GRACEFUL_GRACEFUL_H

#include <stddef.h>
#include <stdint.h>

/* For servers in C, or in any language that can call C functions: what <graceful/native.hpp> is for
   C++. That header explains each function further.

   Errors. A function that can fail returns 0 for success and otherwise a code: a positive one is a
   graceful_code, a negative one a negated errno. If `error` is not NULL, it gets the code and a sentence
   for people. No exception leaves a function.

   Strings are UTF-8, end with a NUL byte, and are copied. Functions that the caller passes are called
   with its `data`.

   Threads. All functions may be called on any thread, for one upgrader at the same time too, except
   graceful_free. */

#ifdef __cplusplus
extern "C" {
#endif

#define GRACEFUL_EXPORT __attribute__((visibility("default")))

/* Makes a server upgradable. */
typedef struct graceful_upgrader graceful_upgrader;

/* A connection for which a draining process waits. */
typedef struct graceful_connection graceful_connection;

/* The errors of an upgrade, as in <graceful/errc.hpp>. */
enum graceful_code {
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

/* Begin with GRACEFUL_OPTIONS_INIT. <graceful/options.hpp> explains the options and has their defaults,
   which apply to members that are NULL, and to times, in milliseconds, that are negative. */
typedef struct graceful_options {
  size_t size; /* sizeof(graceful_options), so that later versions can add members */
  const char *name;
  const char *control_path;
  int64_t ready_timeout_ms;
  int64_t probation_ms;
  int64_t drain_timeout_ms;
  int64_t idle_grace_ms;
  void *data; /* passed to the functions below */
  /* NULL: standard error. Called on any thread, one at a time; must not call the library. */
  void (*log)(void *data, int level, const char *text);
  /* Where the application's functions run, "the loop". By default a thread of the library. If
     `dispatch` is not 0: within graceful_dispatch, which the application's event loop calls whenever
     graceful_descriptor is readable. */
  int dispatch;
  /* Or the application has a function that runs run(task) later, once, on its loop. It is called on a
     thread of the library, and must not block, nor call run itself. */
  void (*post)(void *data, void (*run)(void *task), void *task);
  /* On the loop: this process drains. Called once. */
  void (*on_drain)(void *data);
  /* On the loop: nothing is left to wait for. Called once, last: leave the loop. */
  void (*on_end)(void *data);
} graceful_options;

#define GRACEFUL_OPTIONS_INIT { sizeof(graceful_options), 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0 }

/* What the application does with a listening socket; each function runs on the loop. Without on_pause
   or on_resume the library parks the descriptor. */
typedef struct graceful_listener {
  size_t size; /* sizeof(graceful_listener) */
  void *data;
  void (*on_resume)(void *data); /* accept from the descriptor */
  void (*on_pause)(void *data);  /* do not, but keep it */
  void (*on_stop)(void *data);   /* take it out of the loop and close it, for good */
  int backlog;                   /* 0: the default */
  int blocking;                  /* not 0: accept(2) on the descriptor waits */
} graceful_listener;

#define GRACEFUL_LISTENER_INIT { sizeof(graceful_listener), 0, 0, 0, 0, 0, 0 }

/* The version of the library, like "0.4.0". Never NULL; not to be freed. */
GRACEFUL_EXPORT const char *graceful_version(void);

/* Starts cold, or takes over from a predecessor. The result belongs to the caller: graceful_free. */
GRACEFUL_EXPORT int graceful_new(const graceful_options *options, graceful_upgrader **upgrader,
                                 graceful_error *error);

/* With `dispatch`: readable while something is to be run, -1 otherwise. It belongs to the library. */
GRACEFUL_EXPORT int graceful_descriptor(const graceful_upgrader *upgrader);
GRACEFUL_EXPORT void graceful_dispatch(graceful_upgrader *upgrader);

/* Ends the library's threads. Connections may be released later. NULL is allowed. */
GRACEFUL_EXPORT void graceful_free(graceful_upgrader *upgrader);

/* Listens on `address` ("127.0.0.1:8080", "[::1]:8080"). *descriptor belongs to the caller. `listener`
   may be NULL. */
GRACEFUL_EXPORT int graceful_listen(graceful_upgrader *upgrader, const char *name, const char *address,
                                    const graceful_listener *listener, int *descriptor,
                                    graceful_error *error);

/* Writes the address of a listener, with its real port, like snprintf(3): returns the length that it
   has, 0 if there is no such listener. */
GRACEFUL_EXPORT size_t graceful_address(const graceful_upgrader *upgrader, const char *name, char *text,
                                        size_t size);

/* Not 0 if there was such a listener. */
GRACEFUL_EXPORT int graceful_withdraw(graceful_upgrader *upgrader, const char *name);

GRACEFUL_EXPORT int graceful_ready(graceful_upgrader *upgrader, graceful_error *error);
GRACEFUL_EXPORT int graceful_handle_signals(graceful_upgrader *upgrader, graceful_error *error);
GRACEFUL_EXPORT void graceful_drain(graceful_upgrader *upgrader);
GRACEFUL_EXPORT void graceful_drain_now(graceful_upgrader *upgrader);
GRACEFUL_EXPORT int graceful_draining(const graceful_upgrader *upgrader);
GRACEFUL_EXPORT uint64_t graceful_generation(const graceful_upgrader *upgrader);

/* Blocks until on_end is due. Not on the application's loop. */
GRACEFUL_EXPORT void graceful_wait_end(graceful_upgrader *upgrader);

/* Tracks a connection until graceful_connection_release. on_stage runs on the loop; it may be NULL. */
GRACEFUL_EXPORT int graceful_track(graceful_upgrader *upgrader,
                                   void (*on_stage)(void *data, int stage), void *data,
                                   graceful_connection **connection, graceful_error *error);
GRACEFUL_EXPORT void graceful_connection_idle(graceful_connection *connection, int is_idle);
GRACEFUL_EXPORT void graceful_connection_release(graceful_connection *connection);

#ifdef __cplusplus
}
#endif

#endif
