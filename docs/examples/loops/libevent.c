/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* An echo server on libevent that can be upgraded. Usage: libevent [ADDRESS] */
#define _GNU_SOURCE
#include <graceful/graceful.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct client {
  struct bufferevent *stream;
  graceful_connection *token;
};

static graceful_upgrader *upgrader;

static void end_client(struct client *c) {
  bufferevent_free(c->stream);
  graceful_connection_release(c->token);
  free(c);
}

static void on_stage(void *data, int stage) {
  if (stage >= GRACEFUL_IDLE_GRACE_OVER) end_client(data);
}

static void echo(struct bufferevent *stream, void *data) {
  graceful_connection_idle(((struct client *)data)->token, 0);
  bufferevent_write_buffer(stream, bufferevent_get_input(stream));
}

static void written(struct bufferevent *stream, void *data) {
  (void)stream;
  graceful_connection_idle(((struct client *)data)->token, 1);
}

static void ended(struct bufferevent *stream, short what, void *data) {
  (void)stream, (void)what;
  end_client(data);
}

static void accept_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int length,
                          void *data) {
  struct client *c = calloc(1, sizeof *c);
  (void)peer, (void)length, (void)data;
  if (c != NULL) c->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  if (c == NULL || c->stream == NULL || graceful_track(upgrader, on_stage, c, &c->token, NULL) != 0) abort();
  graceful_connection_idle(c->token, 1);
  bufferevent_setcb(c->stream, echo, written, ended, c);
  bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

static int on_resume(void *listener) { return evconnlistener_enable(*(struct evconnlistener **)listener); }
static void on_pause(void *listener) { evconnlistener_disable(*(struct evconnlistener **)listener); }
static void on_stop(void *listener) { evconnlistener_free(*(struct evconnlistener **)listener); }

static void dispatch(evutil_socket_t fd, short what, void *data) {
  (void)fd, (void)what, (void)data;
  graceful_dispatch(upgrader);
}

static void on_end(void *base) { event_base_loopbreak(base); }

int main(int argc, char **argv) {
  struct event_base *base = event_base_new();
  struct evconnlistener *listener = NULL;
  graceful_options options = GRACEFUL_OPTIONS_INIT;
  graceful_listener listen = GRACEFUL_LISTENER_INIT;
  graceful_error error;
  int fd = -1;
  signal(SIGPIPE, SIG_IGN);
  listen.data = &listener;
  listen.on_resume = on_resume;
  listen.on_pause = on_pause;
  listen.on_stop = on_stop;
  options.name = "libevent-echo";
  options.control_path = getenv("CONTROL");
  options.data = base;
  options.dispatch = 1;
  options.on_end = on_end;
  if (graceful_new(&options, &upgrader, &error) != 0 ||
      graceful_listen(upgrader, "echo", argc > 1 ? argv[1] : "127.0.0.1:8080", &listen, &fd, &error) != 0 ||
      graceful_handle_signals(upgrader, &error) != 0) {
    fprintf(stderr, "libevent: %s\n", error.message);
    graceful_free(upgrader);
    return 1;
  }
  listener = evconnlistener_new(base, accept_client, NULL,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
  if (listener == NULL || graceful_ready(upgrader, &error) != 0) {
    fprintf(stderr, "libevent: %s\n", listener == NULL ? "no listener" : error.message);
    graceful_free(upgrader);
    return 1;
  }
  event_add(event_new(base, graceful_descriptor(upgrader), EV_READ | EV_PERSIST, dispatch, NULL), NULL);
  event_base_dispatch(base);
  graceful_free(upgrader);
  return 0;
}
