/* Counters of each phase of the load, and of each window of time within it. */
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "histogram.h"

#define PHASES_MAX 64
#define STATUS_MAX 600
#define NS_PER_S 1000000000LL

typedef struct {
  uint64_t due, created;
  Histogram latency;
} Window;

typedef struct {
  double rate, seconds;
  int64_t start_ns, end_ns, idle_ns;
  uint64_t due, sent, wrong, broken, timed_out, not_offered;
  /* 200s that arrived before the phase ended. */
  uint64_t created_in_time;
  uint64_t by_status[STATUS_MAX];
  /* latency: from when a request was due; created_latency: the same of 200s only; service: from when it was sent; lateness: how
     late the generator noticed that it was due. */
  Histogram latency, created_latency, service, lateness;
  Window *windows;
  int window_count;
} Phase;

static Phase phases[PHASES_MAX];
static int phase_count;
static int64_t window_ns;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool divide_into_windows(Phase *phase) {
  phase->window_count = window_ns > 0 ? (int)(phase->seconds * 1e9 / (double)window_ns + 0.999) : 0;
  phase->windows = calloc((size_t)phase->window_count + 1, sizeof(Window));
  return phase->windows != NULL;
}

/* A request belongs to the window in which it was due. */
static Window *window_of(Phase *phase, int64_t intended_ns) {
  int64_t window = window_ns > 0 ? (intended_ns - phase->start_ns) / window_ns : 0;
  return &phase->windows[window < phase->window_count ? window : phase->window_count];
}

static void count_due(Phase *phase, int64_t intended_ns) {
  phase->due++;
  window_of(phase, intended_ns)->due++;
  count_ns(&phase->lateness, now_ns() - intended_ns);
}

static void count_answer(Phase *phase, int status, int64_t intended_ns, int64_t sent_ns) {
  int64_t now = now_ns();
  Window *window = window_of(phase, intended_ns);
  phase->by_status[status < STATUS_MAX ? status : 0]++;
  count_ns(&phase->latency, now - intended_ns);
  count_ns(&window->latency, now - intended_ns);
  count_ns(&phase->service, now - sent_ns);
  if (status != 200) return;
  count_ns(&phase->created_latency, now - intended_ns);
  window->created++;
  if (now <= phase->end_ns) phase->created_in_time++;
}
