// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
// Prints each transition of the model's machines once, by the numbers of its names:
// `compare_transitions` reads it. Not part of the state: what is noted begins and ends within one
// d_step.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char recorded_now[256];
static char** recorded_before;
static int recorded_count;

static void record_begin(const char* machine, int state, int event, int detail, const char* flags) {
  snprintf(recorded_now, sizeof recorded_now, "@%s %d %d %d %s :", machine, state, event, detail,
           flags);
}

static void record_action(int action) {
  const size_t length = strlen(recorded_now);
  snprintf(recorded_now + length, sizeof recorded_now - length, " %d", action);
}

static void record_end(int state) {
  const size_t length = strlen(recorded_now);
  snprintf(recorded_now + length, sizeof recorded_now - length, " -> %d", state);
  for (int i = 0; i < recorded_count; ++i) {
    if (strcmp(recorded_before[i], recorded_now) == 0) return;
  }
  recorded_before = realloc(recorded_before, (size_t)(recorded_count + 1) * sizeof(char*));
  recorded_before[recorded_count++] = strdup(recorded_now);
  printf("%s\n", recorded_now);
}
