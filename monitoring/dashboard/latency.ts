/** How long things take: heatmaps, and quantiles for who wants a number. */
import { heatmap, lines } from './kinds.js';
import { of, type Unplaced } from './panel.js';

function buckets(histogram: string, by = 'le'): string {
  return `sum by (${by}) (increase(${of(`${histogram}_bucket`)}[$__rate_interval]))`;
}

function quantiles(histogram: string) {
  return [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, ${buckets(histogram)})`,
    legend: `p${quantile * 100}`,
  }));
}

export const latency: readonly Unplaced[] = [
  heatmap(
    {
      title: 'Request latency',
      description:
        'From the request line to the answer. In queue mode it stays where it is while the backlog grows: that is what the queue is for.',
      unit: 's',
    },
    buckets('forebay_http_request_duration_seconds'),
  ),
  heatmap(
    {
      title: 'Commit latency',
      description:
        'From sending a frame to its acknowledgement, all journals: mostly the fsync of the disk behind. A client waits at least this long.',
      unit: 's',
    },
    buckets('forebay_commit_duration_seconds'),
  ),
  heatmap(
    {
      title: 'Order age when done',
      description: 'From an order’s acceptance to the end of its processing: what the queue costs.',
      unit: 's',
    },
    buckets('forebay_order_age_seconds'),
  ),
  lines(
    {
      title: 'Request latency, quantiles',
      description: 'Interpolated within the buckets of the heatmap above.',
      unit: 's',
    },
    quantiles('forebay_http_request_duration_seconds'),
  ),
  lines(
    {
      title: 'Commit latency by journal, p99',
      description:
        'Local is the spool when NATS is configured: its line shows up while NATS is away.',
      unit: 's',
    },
    [
      {
        expr: `histogram_quantile(0.99, ${buckets('forebay_commit_duration_seconds', 'le, journal')})`,
        legend: '{{journal}}',
      },
    ],
  ),
  lines(
    {
      title: 'Order age when done, quantiles',
      description: 'Interpolated within the buckets of the heatmap above.',
      unit: 's',
    },
    quantiles('forebay_order_age_seconds'),
  ),
];

export const sizes: readonly Unplaced[] = [
  heatmap(
    {
      title: 'Frame size',
      description:
        'Orders that became durable together. Small when idle, larger the busier it is: one fsync then pays for many orders.',
      unit: 'short',
    },
    buckets('forebay_frame_orders'),
  ),
  heatmap(
    {
      title: 'Handler call',
      description: 'One call of the handler with its whole batch; --batch-ms-target is its aim.',
      unit: 's',
    },
    buckets('forebay_handler_duration_seconds'),
  ),
  lines(
    {
      title: 'Frames and handler calls',
      description:
        'Frames committed and batches processed a second. Orders a second divided by these are the sizes of frames and batches.',
      unit: 'ops',
    },
    [
      { expr: rateSum('forebay_frames_committed_total'), legend: 'frames' },
      { expr: rateSum('forebay_handler_duration_seconds_count'), legend: 'handler calls' },
    ],
  ),
];

function rateSum(metric: string): string {
  return `sum(rate(${of(metric)}[$__rate_interval]))`;
}
