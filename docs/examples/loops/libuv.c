/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* An echo server on libuv that can be upgraded. Usage: libuv [ADDRESS] */
#define _GNU_SOURCE
#include <graceful/graceful.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct client {
  uv_tcp_t tcp; /* first: a client is a stream */
  uv_write_t write;
  char text[4096];
  graceful_connection *token;
};

static graceful_upgrader *upgrader;
static uv_tcp_t *listener; /* NULL while this process does not accept */
static int descriptor;

static void free_handle(uv_handle_t *handle) { free(handle); }

static void end_client(struct client *c) {
  if (uv_is_closing((uv_handle_t *)c)) return;
  graceful_connection_release(c->token);
  c->token = NULL;
  uv_close((uv_handle_t *)c, free_handle);
}

static void on_stage(void *data, int stage) {
  if (stage >= GRACEFUL_IDLE_GRACE_OVER) end_client(data);
}

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  (void)size;
  *buffer = uv_buf_init(((struct client *)handle)->text, sizeof((struct client *)handle)->text);
}

static void echo(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void written(uv_write_t *write, int status) {
  struct client *c = (struct client *)write->handle;
  if (status != 0) end_client(c);
  if (c->token == NULL) return;
  graceful_connection_idle(c->token, 1);
  uv_read_start(write->handle, allocate, echo);
}

static void echo(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  struct client *c = (struct client *)stream;
  const uv_buf_t text = uv_buf_init(buffer->base, (unsigned)size);
  if (size == 0) return;
  uv_read_stop(stream);
  graceful_connection_idle(c->token, 0);
  if (size < 0 || uv_write(&c->write, stream, &text, 1, written) != 0) end_client(c);
}

static void accept_client(uv_stream_t *server, int status) {
  if (status != 0) return;
  struct client *c = calloc(1, sizeof *c);
  uv_tcp_init(server->loop, &c->tcp);
  if (uv_accept(server, (uv_stream_t *)c) == 0 && graceful_track(upgrader, on_stage, c, &c->token, NULL) == 0) {
    graceful_connection_idle(c->token, 1);
    uv_read_start((uv_stream_t *)c, allocate, echo);
  } else {
    end_client(c);
  }
}

/* libuv cannot pause a listener, so it gets a copy of the descriptor, which it closes. */
static int on_resume(void *loop) {
  listener = malloc(sizeof *listener);
  if (listener == NULL || uv_tcp_init(loop, listener) != 0) return -1;
  const int failed = uv_tcp_open(listener, fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  return failed != 0 ? failed : uv_listen((uv_stream_t *)listener, 4096, accept_client);
}

static void on_pause(void *loop) {
  (void)loop;
  if (listener != NULL) uv_close((uv_handle_t *)listener, free_handle);
  listener = NULL;
}

static void on_stop(void *loop) {
  on_pause(loop);
  close(descriptor);
}

static void dispatch(uv_poll_t *poll, int status, int events) {
  (void)poll, (void)status, (void)events;
  graceful_dispatch(upgrader);
}

static void on_end(void *loop) { uv_stop(loop); }

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  uv_poll_t library;
  graceful_options options = GRACEFUL_OPTIONS_INIT;
  graceful_listener listen = GRACEFUL_LISTENER_INIT;
  graceful_error error;
  signal(SIGPIPE, SIG_IGN);
  listen.data = loop;
  listen.on_resume = on_resume;
  listen.on_pause = on_pause;
  listen.on_stop = on_stop;
  options.name = "libuv-echo";
  options.control_path = getenv("CONTROL");
  options.data = loop;
  options.dispatch = 1;
  options.on_end = on_end;
  if (graceful_new(&options, &upgrader, &error) != 0 ||
      graceful_listen(upgrader, "echo", argc > 1 ? argv[1] : "127.0.0.1:8080", &listen, &descriptor, &error) != 0 ||
      graceful_handle_signals(upgrader, &error) != 0 || graceful_ready(upgrader, &error) != 0) {
    fprintf(stderr, "libuv: %s\n", error.message);
    graceful_free(upgrader);
    return 1;
  }
  uv_poll_init(loop, &library, graceful_descriptor(upgrader));
  uv_poll_start(&library, UV_READABLE, dispatch);
  uv_run(loop, UV_RUN_DEFAULT);
  uv_poll_stop(&library);
  graceful_free(upgrader);
  return 0;
}
