/** Metrics of NATS, from prometheus-nats-exporter. Empty with the local journal. */
import { lines } from './kinds.js';
import type { Unplaced } from './panel.js';

/** The streams of `--nats-stream`. A frame is one message. */
const STREAMS = '{stream_name=~"$stream.*"}';

export const nats: readonly Unplaced[] = [
  lines(
    {
      title: 'NATS: messages by stream',
      description:
        'Frames in the work queue, entries of the ledger, and dead letters. A frame holds many orders: see Frame size.',
      unit: 'suffix: messages',
    },
    [{ expr: `jetstream_stream_total_messages${STREAMS}`, legend: '{{stream_name}}' }],
  ),
  lines(
    {
      title: 'NATS: bytes by stream',
      description: 'Disk space of the streams on the server.',
      unit: 'bytes',
    },
    [{ expr: `jetstream_stream_total_bytes${STREAMS}`, legend: '{{stream_name}}' }],
  ),
  lines(
    {
      title: 'NATS: frames by consumer',
      description:
        'Frames not yet delivered, and frames delivered but not yet acknowledged: the drain is processing these, at most --look-ahead-frames per instance.',
      unit: 'suffix: frames',
    },
    [
      {
        expr: `jetstream_consumer_num_pending${STREAMS}`,
        legend: 'waiting {{consumer_name}}',
      },
      {
        expr: `jetstream_consumer_num_ack_pending${STREAMS}`,
        legend: 'delivered {{consumer_name}}',
      },
    ],
  ),
  lines(
    {
      title: 'NATS: redelivered frames',
      description:
        'Frames delivered again because no acknowledgement arrived. Each is checked against the ledger. Many mean that the drain crashes or hangs.',
      unit: 'suffix: frames',
    },
    [{ expr: `jetstream_consumer_num_redelivered${STREAMS}`, legend: '{{consumer_name}}' }],
  ),
  lines(
    {
      title: 'NATS: messages and frames stored',
      description: 'Messages per second in and out of the server, and frames stored in the stream.',
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
        'Used storage and its maximum. When it is full, commits are refused and orders go to the spool.',
      unit: 'bytes',
    },
    [
      { expr: 'gnatsd_varz_jetstream_stats_storage', legend: 'used {{server_id}}' },
      { expr: 'gnatsd_varz_jetstream_config_max_storage', legend: 'maximum {{server_id}}' },
    ],
  ),
];
