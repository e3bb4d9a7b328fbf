/** Gauges that are asked for at the scrape instead of being kept in a cell. */
export interface LiveFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Where the values of those that are one number each come from; in the main thread. */
export interface LiveGauges {
  readonly rps: () => number;
  readonly pendingOrders: () => number;
  readonly oldestAgeSeconds: () => number;
  readonly deadLetters: () => number;
  readonly deadLettersMax: () => number;
  readonly rpsLimit: () => number;
  readonly drainRate: () => number;
  readonly spoolOrdersMax: () => number;
  readonly ready: () => number;
  readonly journalReachable: () => number;
  readonly drainPaused: () => number;
}

export const liveFamilies = {
  rps: {
    name: 'forebay_rps',
    help: 'Requests received in the last second.',
    labels: [],
  },
  pendingOrders: {
    name: 'forebay_journal_pending_orders',
    help: 'Orders in the journal that are not settled, those in hand included.',
    labels: [],
  },
  oldestAgeSeconds: {
    name: 'forebay_journal_oldest_age_seconds',
    help: 'Age of the oldest order that is not settled; 0 when there is none.',
    labels: [],
  },
  deadLetters: {
    name: 'forebay_dead_letters',
    help: 'Dead letters kept now; look at them with forebay dlq.',
    labels: [],
  },
  deadLettersMax: {
    name: 'forebay_dead_letters_max',
    help: 'Most dead letters kept: --dead-max.',
    labels: [],
  },
  rpsLimit: {
    name: 'forebay_rps_limit',
    help: 'Most requests admitted in a second: --rps-limit; 0 is no limit.',
    labels: [],
  },
  drainRate: {
    name: 'forebay_drain_rate',
    help: 'Most orders processed in a second: --drain-rate; 0 is no bound.',
    labels: [],
  },
  spoolOrdersMax: {
    name: 'forebay_spool_orders_max',
    help: 'Most orders kept in the local spool: --spool-orders-max; 0 without NATS, which alone needs one.',
    labels: [],
  },
  ready: {
    name: 'forebay_ready',
    help: '1 while orders can be taken, else 0; /readyz has the reasons.',
    labels: [],
  },
  journalReachable: {
    name: 'forebay_journal_reachable',
    help: '1 while the journal answers, else 0; always 1 in direct mode, which has none.',
    labels: [],
  },
  drainPaused: {
    name: 'forebay_drain_paused',
    help: '1 while processing waits for the handler, whose database is away say; /readyz has the reason.',
    labels: [],
  },
  eventLoopLag: {
    name: 'forebay_event_loop_lag_seconds',
    help: 'Longest delay of the event loop within the last 15 seconds, by thread.',
    labels: ['thread'],
  },
  threadCpu: {
    name: 'forebay_thread_cpu_ratio',
    help: 'Share of one core that a thread used since the last scrape; Linux only, from the second scrape on.',
    labels: ['thread'],
  },
  durability: {
    name: 'forebay_durability_info',
    help: 'Always 1; what an accepted order survives: fsync, replicated, os, none, or unknown (docs/reference/guarantees.md).',
    labels: ['class', 'replicas'],
  },
  buildInfo: {
    name: 'forebay_build_info',
    help: 'Always 1; what is running stands in the labels.',
    labels: ['version', 'node', 'mode', 'journal'],
  },
} as const satisfies Readonly<Record<string, LiveFamily>>;

/** What is worth knowing of any process, under the names that dashboards for Node expect. */
export const processFamilies = {
  cpuSeconds: {
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of the process in seconds, all threads.',
    type: 'counter',
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process in bytes.',
    type: 'gauge',
  },
  startSeconds: {
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since the epoch.',
    type: 'gauge',
  },
  heapTotalBytes: {
    name: 'nodejs_heap_size_total_bytes',
    help: 'V8 heap of the main thread in bytes.',
    type: 'gauge',
  },
  heapUsedBytes: {
    name: 'nodejs_heap_size_used_bytes',
    help: 'V8 heap of the main thread that is in use, in bytes.',
    type: 'gauge',
  },
  externalBytes: {
    name: 'nodejs_external_memory_bytes',
    help: 'Memory outside the V8 heap that objects of the main thread hold, in bytes.',
    type: 'gauge',
  },
} as const satisfies Readonly<
  Record<string, { name: string; help: string; type: 'counter' | 'gauge' }>
>;
