/*
 * An open-model load generator: requests are due at fixed times, whether or not earlier ones have been answered, and latency
 * counts from when a request was due. So a stall of the server is part of the latency of every request due in it (no
 * coordinated omission: Gil Tene, "How not to measure latency").
 *
 *   open-load HOST PORT CONNECTIONS TIMEOUT_MS WAIT_MS WINDOW_MS CORE EXPECTED_BODY RATE:SECONDS... < request
 *
 * A due request is sent on a free connection. If none is free it waits, which is part of its latency, for up to WAIT_MS; then it
 * counts as not offered. A client gives up TIMEOUT_MS after its request was due, and opens a new connection. RATE 0 is a closed
 * loop: each connection sends the next request when it has its response. Phases follow each other without a pause. The generator
 * spins on CORE, which nothing else should use; with a CORE of -1 it sleeps until the next request is due, on any core. It
 * measures how late it sends. Output: JSON.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "connections.h"
#include "phases.h"

#define REQUEST_BYTES_MAX 8192
#define LINE_MAX_ENTRIES (1 << 21)
/* How many requests or events are handled in one go, so that sending and reading do not delay each other. */
#define AT_ONCE 8
#define DIAL_MS_MAX 10000
#define GIVE_UP_CHECK_NS 5000000
#define NAP_NS_MAX 5000000
#define REDIALS_MAX 1000000

typedef struct {
  int64_t intended_ns;
  int phase;
} Waiting;

static Connections connections;
static char request[REQUEST_BYTES_MAX];
static int request_length;
static const char *expected;
static int64_t timeout_ns, wait_ns;
static uint64_t redials, outstanding;
static int core;
/* A ring of due requests without a connection. */
static Waiting *line;
static uint32_t line_head, line_count;

static void dial_again(int index) {
  if (++redials > REDIALS_MAX) die("too many connections were lost");
  redial(&connections, index);
}

/* The connection ended without a response. */
static void lose(int index, bool gave_up) {
  Connection *connection = &connections.all[index];
  Phase *phase = &phases[connection->phase];
  if (gave_up) phase->timed_out++;
  else phase->broken++;
  outstanding--;
  dial_again(index);
}

static void send_on(int index, int phase, int64_t intended_ns) {
  Connection *connection = &connections.all[index];
  connection->state = BUSY;
  connection->phase = phase;
  connection->intended_ns = intended_ns;
  connection->sent_ns = now_ns();
  phases[phase].sent++;
  outstanding++;
  if (send(connection->fd, request, (size_t)request_length, MSG_NOSIGNAL) != request_length) lose(index, false);
}

static void send_waiting(void) {
  for (int i = 0; i < AT_ONCE && line_count > 0; i++) {
    Waiting *next = &line[line_head % LINE_MAX_ENTRIES];
    bool is_stale = now_ns() - next->intended_ns > wait_ns;
    if (!is_stale && connections.free_count == 0) return;
    line_head++;
    line_count--;
    if (is_stale) phases[next->phase].not_offered++;
    else send_on(take_free(&connections), next->phase, next->intended_ns);
  }
}

static void offer(int phase, int64_t intended_ns) {
  count_due(&phases[phase], intended_ns);
  if (line_count == 0 && connections.free_count > 0) send_on(take_free(&connections), phase, intended_ns);
  else if (line_count == LINE_MAX_ENTRIES || wait_ns == 0) phases[phase].not_offered++;
  else line[(line_head + line_count++) % LINE_MAX_ENTRIES] = (Waiting){intended_ns, phase};
}

static void answered(int index, int status, const char *body, int body_length) {
  Connection *connection = &connections.all[index];
  Phase *phase = &phases[connection->phase];
  bool is_expected = body_length == (int)strlen(expected) && memcmp(body, expected, (size_t)body_length) == 0;
  if (status == 200 && !is_expected) phase->wrong++;
  count_answer(phase, status, connection->intended_ns, connection->sent_ns);
  outstanding--;
  release(&connections, index);
}

static void readable(int index) {
  Connection *connection = &connections.all[index];
  ssize_t bytes = recv(connection->fd, connection->answer + connection->length, (size_t)(ANSWER_BYTES_MAX - connection->length), 0);
  if (bytes < 0 && errno == EAGAIN) return;
  if (connection->state == FREE) {
    if (bytes > 0) die("unexpected response");
    remove_free(&connections, index);
    dial_again(index);
    return;
  }
  if (bytes <= 0) {
    lose(index, false);
    return;
  }
  connection->length += (int)bytes;
  connection->answer[connection->length] = '\0';
  const char *body;
  int body_length, status = parse_answer(connection, &body, &body_length);
  if (status < 0) die("the response is not HTTP/1.1 with a Content-Length");
  if (status > 0) answered(index, status, body, body_length);
}

/* @return the number of events */
static int poll_sockets(int64_t nap_ns) {
  struct epoll_event events[AT_ONCE];
  struct timespec nap = {.tv_nsec = nap_ns};
  int count = epoll_pwait2(connections.epoll, events, AT_ONCE, &nap, NULL);
  for (int i = 0; i < count; i++) {
    int index = (int)events[i].data.u32;
    if (connections.all[index].state != CONNECTING) readable(index);
    else if (!finish_dial(&connections, index)) dial_again(index);
  }
  return count;
}

static void give_up_late(int64_t now) {
  for (int i = 0; i < connections.count; i++) {
    Connection *connection = &connections.all[i];
    if (connection->state == BUSY && now - connection->intended_ns > timeout_ns) lose(i, true);
  }
}

/* Time until the next request is due. */
static int64_t nap_ns(const Phase *phase) {
  int64_t due_ns = phase->start_ns + (int64_t)((double)phase->due * 1e9 / phase->rate) - now_ns();
  if (phase->rate == 0 || due_ns > NAP_NS_MAX) return NAP_NS_MAX;
  return due_ns > 0 ? due_ns : 0;
}

/* Sends waiting and due requests, and reads responses. @return whether there was anything to do */
static bool turn(int current, int64_t now) {
  Phase *phase = &phases[current];
  bool busy = line_count > 0 && connections.free_count > 0;
  send_waiting();
  for (int i = 0; i < AT_ONCE; i++) {
    if (phase->rate == 0) {
      if (connections.free_count == 0 || line_count > 0) break;
      offer(current, now_ns());
    } else {
      int64_t intended_ns = phase->start_ns + (int64_t)((double)phase->due * 1e9 / phase->rate);
      if (phase->due >= (uint64_t)(phase->rate * phase->seconds + 0.5) || intended_ns > now) break;
      offer(current, intended_ns);
    }
    busy = true;
  }
  return poll_sockets(busy || core >= 0 ? 0 : nap_ns(phase)) > 0 || busy;
}

static void run_phase(int current, int64_t *next_check_ns) {
  Phase *phase = &phases[current];
  phase->start_ns = current == 0 ? now_ns() : phases[current - 1].end_ns;
  phase->end_ns = phase->start_ns + (int64_t)(phase->seconds * 1e9);
  uint64_t all = (uint64_t)(phase->rate * phase->seconds + 0.5);
  int64_t now = now_ns();
  /* A generator that is late still sends all due requests. Its lateness is reported. */
  while (now < phase->end_ns || (phase->rate > 0 && phase->due < all)) {
    bool busy = turn(current, now);
    if (now > *next_check_ns) {
      give_up_late(now);
      *next_check_ns = now + GIVE_UP_CHECK_NS;
    }
    int64_t then = now;
    now = now_ns();
    if (!busy) phase->idle_ns += now - then;
  }
}

#include "report.h"

static void set_up(char **arguments) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  timeout_ns = atoll(arguments[4]) * 1000000;
  wait_ns = atoll(arguments[5]) * 1000000;
  window_ns = atoll(arguments[6]) * 1000000;
  core = atoi(arguments[7]);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (core >= 0 && sched_setaffinity(0, sizeof cores, &cores) < 0) die("core");
  /* Normal priority: a higher one can starve ksoftirqd, which delivers packets on this core. */
  prctl(PR_SET_TIMERSLACK, 1);
  expected = arguments[8];
  request_length = (int)fread(request, 1, REQUEST_BYTES_MAX, stdin);
  line = calloc(LINE_MAX_ENTRIES, sizeof(Waiting));
  if (line == NULL || request_length == 0) die("request");
}

int main(int count, char **arguments) {
  if (count < 10 || count - 9 > PHASES_MAX) die("usage: see open-load.c");
  set_up(arguments);
  phase_count = count - 9;
  for (int i = 0; i < phase_count; i++) {
    Phase *phase = &phases[i];
    if (sscanf(arguments[9 + i], "%lf:%lf", &phase->rate, &phase->seconds) != 2) die(arguments[9 + i]);
    if (!divide_into_windows(phase)) die("windows");
  }
  open_connections(&connections, arguments[1], atoi(arguments[2]), atoi(arguments[3]));
  int64_t dialled_by_ns = now_ns() + DIAL_MS_MAX * 1000000LL, next_check_ns = 0;
  while (connections.free_count < connections.count) {
    poll_sockets(NAP_NS_MAX);
    if (now_ns() > dialled_by_ns) die("the server does not accept all connections");
  }
  for (int i = 0; i < phase_count; i++) run_phase(i, &next_check_ns);
  while (outstanding > 0 || line_count > 0) {
    send_waiting();
    poll_sockets(0);
    give_up_late(now_ns());
  }
  report();
  return 0;
}
