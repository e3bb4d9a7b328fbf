/** Load and delays by thread. */
import { lines, shades } from './kinds.js';
import { of, type Unplaced } from './panel.js';

export const threads: readonly Unplaced[] = [
  shades(
    {
      title: 'Load by thread',
      description:
        'Share of one core that each thread uses: green is idle, red is a full core. One red intake thread among green ones means that connections are distributed unevenly.',
      unit: 'percentunit',
    },
    { expr: of('forebay_thread_cpu_ratio'), legend: '{{instance}} {{thread}}' },
  ),
  lines(
    {
      title: 'CPU by thread',
      description: 'The same as lines: intake threads, drain thread, main thread and pool threads.',
      unit: 'percentunit',
    },
    [{ expr: of('forebay_thread_cpu_ratio'), legend: '{{instance}} {{thread}}' }],
    { max: 1 },
  ),
  lines(
    {
      title: 'Event loop lag by thread',
      description:
        'Longest delay within 15 s. Every client of that thread waited as long. Alert: ForebayEventLoopLag.',
      unit: 's',
    },
    [{ expr: of('forebay_event_loop_lag_seconds'), legend: '{{instance}} {{thread}}' }],
  ),
  lines(
    {
      title: 'Time until the certificate expires',
      description: 'Servers without TLS are not shown. Alert: ForebayCertificateExpires.',
      unit: 's',
    },
    [
      {
        expr: `(${of('forebay_tls_certificate_expiry_timestamp_seconds')} > 0) - time()`,
        legend: '{{instance}}',
      },
    ],
  ),
  lines(
    {
      title: 'Memory',
      description: 'Resident memory of the process, and V8’s heap in the main thread.',
      unit: 'bytes',
    },
    [
      { expr: of('process_resident_memory_bytes'), legend: 'resident {{instance}}' },
      { expr: of('nodejs_heap_size_used_bytes'), legend: 'heap {{instance}}' },
    ],
  ),
];
