/** The queue as NATS itself sees it, from prometheus-nats-exporter; empty with the local journal. */
import { lines } from './kinds.js';
import type { Unplaced } from './panel.js';

/** The streams of `--nats-stream` with its default; a frame is one message. */
const STREAMS = '{stream_name=~"$stream.*"}';

export const nats: readonly Unplaced[] = [
  lines(
    {
      title: 'NATS: messages by stream',
      description:
        'Frames in the work queue, entries of the ledger, dead letters. Frames, not orders: see Frame size.',
      unit: 'suffix: messages',
    },
    [{ expr: `jetstream_stream_total_messages${STREAMS}`, legend: '{{stream_name}}' }],
  ),
  lines(
    {
      title: 'NATS: bytes by stream',
      description: 'What the streams take on the disk of the server.',
      unit: 'bytes',
    },
    [{ expr: `jetstream_stream_total_bytes${STREAMS}`, legend: '{{stream_name}}' }],
  ),
  lines(
    {
      title: 'NATS: frames by consumer',
      description:
        'Not yet delivered, and delivered but not yet acknowledged: the latter are what the drain has in hand, at most --look-ahead-frames for each instance.',
      unit: 'suffix: frames',
    },
    [
      {
        expr: `jetstream_consumer_num_pending${STREAMS}`,
        legend: 'waiting {{consumer_name}}',
      },
      {
        expr: `jetstream_consumer_num_ack_pending${STREAMS}`,
        legend: 'in hand {{consumer_name}}',
      },
    ],
  ),
  lines(
    {
      title: 'NATS: delivered again',
      description:
        'Frames that NATS delivered a second time because no acknowledgement came. Each costs a check against the ledger; many mean that the drain dies or hangs.',
      unit: 'suffix: frames',
    },
    [{ expr: `jetstream_consumer_num_redelivered${STREAMS}`, legend: '{{consumer_name}}' }],
  ),
  lines(
    {
      title: 'NATS: messages and frames stored',
      description: 'Messages a second in and out of the server, and frames stored in the stream.',
      unit: 'ops',
    },
    [
      { expr: 'rate(gnatsd_varz_in_msgs[$__rate_interval])', legend: 'in {{server_id}}' },
      { expr: 'rate(gnatsd_varz_out_msgs[$__rate_interval])', legend: 'out {{server_id}}' },
      {
        expr: `rate(jetstream_stream_last_seq${STREAMS}[$__rate_interval])`,
        legend: 'stored {{stream_name}}',
      },
    ],
  ),
  lines(
    {
      title: 'NATS: JetStream storage',
      description:
        'Used, and the most that the server allows itself. When it is full, commits are refused and orders go to the spool.',
      unit: 'bytes',
    },
    [
      { expr: 'gnatsd_varz_jetstream_stats_storage', legend: 'used {{server_id}}' },
      { expr: 'gnatsd_varz_jetstream_config_max_storage', legend: 'most {{server_id}}' },
    ],
  ),
];
