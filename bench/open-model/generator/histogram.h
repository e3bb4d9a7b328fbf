/*
 * Durations in log-linear buckets, as in HdrHistogram (Gil Tene, hdrhistogram.org): 64 equal buckets per power of two, so the
 * error is at most 1/64 = 1.6%. Fixed memory, no allocation while counting.
 */
#include <stdint.h>
#include <stdio.h>

#define SUB_BITS 6
#define SUB_COUNT (1 << SUB_BITS)
/* Up to 2^41 ns = 36 minutes; longer durations are counted in the last bucket. */
#define OCTAVES 36
#define BUCKETS (SUB_COUNT * OCTAVES)

typedef struct {
  uint32_t counts[BUCKETS];
} Histogram;

static int bucket_of(int64_t ns) {
  if (ns < SUB_COUNT) return ns < 0 ? 0 : (int)ns;
  int shift = 63 - __builtin_clzll((uint64_t)ns) - SUB_BITS;
  int bucket = ((shift + 1) << SUB_BITS) + (int)((ns >> shift) - SUB_COUNT);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The largest value of the bucket. */
static int64_t bucket_top(int bucket) {
  if (bucket < SUB_COUNT) return bucket;
  int shift = (bucket >> SUB_BITS) - 1;
  int64_t low = (int64_t)(SUB_COUNT + (bucket & (SUB_COUNT - 1))) << shift;
  return low + ((int64_t)1 << shift) - 1;
}

static void count_ns(Histogram *histogram, int64_t ns) { histogram->counts[bucket_of(ns)]++; }

/* As JSON: [[largest ns, count], ...] of the non-empty buckets. */
static void print_histogram(const char *name, const Histogram *histogram) {
  printf("\"%s\":[", name);
  const char *comma = "";
  for (int i = 0; i < BUCKETS; i++) {
    if (histogram->counts[i] == 0) continue;
    printf("%s[%lld,%u]", comma, (long long)bucket_top(i), histogram->counts[i]);
    comma = ",";
  }
  printf("]");
}
