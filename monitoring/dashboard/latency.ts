/** Latencies as heatmaps and quantiles, and the sizes of frames and batches. */
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
        'From the request line to the response. In queue mode it does not depend on the backlog.',
      unit: 's',
    },
    buckets('forebay_http_request_duration_seconds'),
  ),
  heatmap(
    {
      title: 'Commit latency',
      description:
        'From sending a frame until its acknowledgement, all journals: mostly the fsync. A client waits at least this long.',
      unit: 's',
    },
    buckets('forebay_commit_duration_seconds'),
  ),
  heatmap(
    {
      title: 'Order age when processed',
      description:
        'From when an order was accepted until it was processed: the time in the queue included.',
      unit: 's',
    },
    buckets('forebay_order_age_seconds'),
  ),
  lines(
    {
      title: 'Request latency, quantiles',
      description: 'Interpolated from the buckets of the heatmap above.',
      unit: 's',
    },
    quantiles('forebay_http_request_duration_seconds'),
  ),
  lines(
    {
      title: 'Commit latency by journal, p99',
      description: 'With NATS, local is the spool: it has a line only while NATS is unavailable.',
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
      title: 'Order age when processed, quantiles',
      description: 'Interpolated from the buckets of the heatmap above.',
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
        'Orders committed together. Frames grow with the load, so that one fsync covers more orders.',
      unit: 'short',
    },
    buckets('forebay_frame_orders'),
  ),
  heatmap(
    {
      title: 'Handler call',
      description:
        'Duration of one call of the handler with its batch. Batches are sized to take about --batch-ms-target.',
      unit: 's',
    },
    buckets('forebay_handler_duration_seconds'),
  ),
  lines(
    {
      title: 'Frames and handler calls',
      description:
        'Frames committed and handler calls per second. Orders per second divided by these is the mean size of frames and batches.',
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
