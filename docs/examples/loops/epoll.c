/* Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE. */
/* An echo server on epoll(7), in C, that can be upgraded. Usage: epoll [ADDRESS] */
#define _GNU_SOURCE
#include <graceful/graceful.h>

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

static void watch(struct source *s) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event);
}

static void end_client(struct client *c) {
  close(c->source.fd);
  graceful_connection_release(c->token);
  free(c);
}

/* This process drains. An echo owes nothing more to a client that is idle. */
static void on_stage(void *data, int stage) {
  if (stage != GRACEFUL_DRAINING) end_client(data);
}

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
  const int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  struct client *c = malloc(sizeof *c);
  c->source = (struct source){fd, echo};
  graceful_track(upgrader, on_stage, c, &c->token, NULL);
  watch(&c->source);
}

static void on_resume(void *listener) { watch(listener); }
static void on_pause(void *listener) { epoll_ctl(epoll, EPOLL_CTL_DEL, ((struct source *)listener)->fd, NULL); }
static void on_stop(void *listener) {
  on_pause(listener); /* close(2) is not enough: the successor has the socket too */
  close(((struct source *)listener)->fd);
}

static void dispatch(struct source *self) {
  (void)self;
  graceful_dispatch(upgrader);
}

static void on_end(void *data) { *(int *)data = 0; }

int main(int argc, char **argv) {
  graceful_options options = GRACEFUL_OPTIONS_INIT;
  struct source listener = {-1, accept_client}, library = {-1, dispatch};
  const graceful_listener hooks = {sizeof hooks, &listener, on_resume, on_pause, on_stop, 0, 0};
  graceful_error error;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  options.name = "epoll-echo";
  options.control_path = getenv("CONTROL");
  options.dispatch = 1;
  options.on_end = on_end;
  options.data = &running;
  if (graceful_new(&options, &upgrader, &error) != 0 ||
      graceful_listen(upgrader, "echo", argc > 1 ? argv[1] : "127.0.0.1:8080", &hooks, &listener.fd, &error) != 0 ||
      graceful_handle_signals(upgrader, &error) != 0 || graceful_ready(upgrader, &error) != 0) {
    fprintf(stderr, "epoll: %s\n", error.message);
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
