import type { JournalName } from '../model/journal.js';
import type { CellFamily, KeysOf, Labels } from './names.js';

export interface HistogramFamily extends CellFamily {
  /** Upper bounds, ascending, without +Inf. At most 16, because `observe` searches them linearly. */
  readonly bounds: readonly number[];
}

/** One histogram per journal; the compiler checks that no JournalName is missing. */
const commitSeconds: Readonly<Record<`commitSeconds_${JournalName}`, Labels>> = {
  commitSeconds_local: { journal: 'local' },
  commitSeconds_jetstream: { journal: 'jetstream' },
  commitSeconds_direct: { journal: 'direct' },
};

/** Seconds; 100 µs to 10 s. */
const shortSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Summed over all threads. */
export const histogramFamilies = [
  {
    name: 'forebay_http_request_duration_seconds',
    help: 'Time from when the request line was read to the response. At a high rate, a request can wait up to 0.3 ms to be read.',
    bounds: shortSeconds,
    cells: { requestSeconds: {} },
  },
  {
    name: 'forebay_frame_orders',
    help: 'Orders in a committed frame.',
    bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    cells: { frameOrders: {} },
  },
  {
    name: 'forebay_commit_duration_seconds',
    help: 'Time from sending a frame to its acknowledgement, by journal.',
    bounds: shortSeconds,
    cells: commitSeconds,
  },
  {
    name: 'forebay_handler_duration_seconds',
    help: 'Duration of one call of the handler, with its whole batch.',
    bounds: [
      0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
    ],
    cells: { handlerSeconds: {} },
  },
  {
    name: 'forebay_order_age_seconds',
    help: 'Time from the acceptance of an order until it was done.',
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600],
    cells: { orderAgeSeconds: {} },
  },
] as const satisfies readonly HistogramFamily[];

export type HistogramKey = KeysOf<(typeof histogramFamilies)[number]>;
