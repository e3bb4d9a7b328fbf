/** Metrics of the process, under the names that dashboards for Node expect. */
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
    help: 'Start time of the process in seconds since the epoch.',
    type: 'gauge',
  },
  uptimeSeconds: {
    name: 'process_uptime_seconds',
    help: 'Age of the process at the scrape, by its monotonic clock: two scrapes give exact rates.',
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
