/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* An echo server on epoll(7), in C, that can be upgraded. Usage: epoll [ADDRESS] */
#define _GNU_SOURCE
#include <graceful/graceful.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct source { /* what epoll watches */
  int fd;
  void (*ready)(struct source *self);
};

struct client {
  struct source source; /* first: a client is a source */
  graceful_connection *token;
};

static graceful_upgrader *upgrader;
static int epoll, running = 1;

static int watch(struct source *s) { /* 0, or -1 */
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event);
}

/* close(2) removes a descriptor from epoll(7) only if no other process has the file: a successor has the
   listening socket, and a child has all of them until it executes something. */
static void unwatch_and_close(struct source *s) {
  epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL);
  close(s->fd);
}

static void end_client(struct client *c) {
  unwatch_and_close(&c->source);
  graceful_connection_release(c->token);
  free(c);
}

/* This process drains. An echo owes nothing more to a client that is idle. */
static void on_stage(void *data, int stage) {
  if (stage >= GRACEFUL_IDLE_GRACE_OVER) end_client(data);
}

/* Writes without waiting for more than the socket holds: a real server keeps the rest. */
static void echo(struct source *self) {
  struct client *c = (struct client *)self;
  char text[4096];
  const ssize_t size = read(self->fd, text, sizeof text);
  if (size > 0 && write(self->fd, text, (size_t)size) == size) {
    graceful_connection_idle(c->token, 1);
  } else {
    end_client(c);
  }
}

static void accept_client(struct source *self) {
  struct client *c = calloc(1, sizeof *c);
  if (c == NULL) return;
  c->source = (struct source){accept4(self->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), echo};
  if (c->source.fd < 0) {
    free(c);
  } else if (graceful_track(upgrader, on_stage, c, &c->token, NULL) != 0 || watch(&c->source) != 0) {
    end_client(c);
  } else {
    graceful_connection_idle(c->token, 1);
  }
}

static int on_resume(void *listener) { return watch(listener); }
static void on_pause(void *listener) { epoll_ctl(epoll, EPOLL_CTL_DEL, ((struct source *)listener)->fd, NULL); }
static void on_stop(void *listener) { unwatch_and_close(listener); }

static void dispatch(struct source *self) {
  (void)self;
  graceful_dispatch(upgrader);
}

static void on_end(void *data) { *(int *)data = 0; }

int main(int argc, char **argv) {
  graceful_options options = GRACEFUL_OPTIONS_INIT;
  struct source listener = {-1, accept_client}, library = {-1, dispatch};
  graceful_listener hooks = GRACEFUL_LISTENER_INIT;
  graceful_error error;
  signal(SIGPIPE, SIG_IGN);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  hooks.data = &listener;
  hooks.on_resume = on_resume;
  hooks.on_pause = on_pause;
  hooks.on_stop = on_stop;
  options.name = "epoll-echo";
  options.control_path = getenv("CONTROL");
  options.dispatch = 1;
  options.on_end = on_end;
  options.data = &running;
  if (graceful_new(&options, &upgrader, &error) != 0 ||
      graceful_listen(upgrader, "echo", argc > 1 ? argv[1] : "127.0.0.1:8080", &hooks, &listener.fd, &error) != 0 ||
      graceful_handle_signals(upgrader, &error) != 0 || graceful_ready(upgrader, &error) != 0) {
    fprintf(stderr, "epoll: %s\n", error.message);
    graceful_free(upgrader);
    return 1;
  }
  library.fd = graceful_descriptor(upgrader);
  watch(&library);
  while (running) { /* one event at a time: it may end the source of the next one */
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) == 1) ((struct source *)event.data.ptr)->ready(event.data.ptr);
  }
  graceful_free(upgrader);
  return 0;
}
