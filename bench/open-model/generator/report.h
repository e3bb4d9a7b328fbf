/* Prints all phases as JSON on stdout. */

static void print_windows(const Phase *phase) {
  printf("\"windows\":[");
  for (int i = 0; i < phase->window_count; i++) {
    const Window *window = &phase->windows[i];
    printf("%s{\"due\":%llu,\"created\":%llu,", i == 0 ? "" : ",", (unsigned long long)window->due,
           (unsigned long long)window->created);
    print_histogram("latency", &window->latency);
    printf("}");
  }
  printf("]");
}

static void print_statuses(const Phase *phase) {
  const char *comma = "";
  printf("\"byStatus\":{");
  for (int i = 0; i < STATUS_MAX; i++) {
    if (phase->by_status[i] == 0) continue;
    printf("%s\"%d\":%llu", comma, i, (unsigned long long)phase->by_status[i]);
    comma = ",";
  }
  printf("},");
}

static void print_phase(const Phase *phase) {
  printf("{\"rate\":%g,\"seconds\":%g,\"due\":%llu,\"sent\":%llu,\"wrongBodies\":%llu,\"broken\":%llu,", phase->rate,
         phase->seconds, (unsigned long long)phase->due, (unsigned long long)phase->sent,
         (unsigned long long)phase->wrong, (unsigned long long)phase->broken);
  printf("\"timedOut\":%llu,\"notOffered\":%llu,\"createdInTime\":%llu,\"idleShare\":%.3f,",
         (unsigned long long)phase->timed_out, (unsigned long long)phase->not_offered,
         (unsigned long long)phase->created_in_time, (double)phase->idle_ns / (phase->seconds * 1e9));
  print_statuses(phase);
  print_histogram("latency", &phase->latency);
  printf(",");
  print_histogram("createdLatency", &phase->created_latency);
  printf(",");
  print_histogram("service", &phase->service);
  printf(",");
  print_histogram("lateness", &phase->lateness);
  printf(",");
  print_windows(phase);
  printf("}");
}

static void report(void) {
  printf("{\"redials\":%llu,\"phases\":[", (unsigned long long)redials);
  for (int i = 0; i < phase_count; i++) {
    if (i > 0) printf(",");
    print_phase(&phases[i]);
  }
  printf("]}\n");
}
