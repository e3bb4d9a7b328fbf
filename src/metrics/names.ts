import type { Status } from '../model/answers.js';
import type { JournalName } from '../model/journal.js';

export { liveFamilies, processFamilies } from './live-names.js';

/**
 * The catalogue: every metric that /metrics shows. Counting (count.ts), collecting (collect.ts) and
 * docs/reference/metrics.md are all made from it.
 *
 * A member of `cells` is one time series: its key is how the code calls it (`COUNTER.workDone`), its
 * value are the labels. Each is there from the start, at 0.
 */
export interface CellFamily {
  readonly name: string;
  readonly help: string;
  readonly cells: Readonly<Record<string, Labels>>;
}

export interface HistogramFamily extends CellFamily {
  /** Upper bounds, ascending, without +Inf; at most 16, because `observe` looks them up one by one. */
  readonly bounds: readonly number[];
}

export type Labels = Readonly<Record<string, string>>;

/** The cell of each status; the compiler holds it against STATUSES. */
const responses: Readonly<Record<`responses${Status}`, Labels>> = {
  responses200: { status: '200' },
  responses400: { status: '400' },
  responses404: { status: '404' },
  responses405: { status: '405' },
  responses413: { status: '413' },
  responses415: { status: '415' },
  responses422: { status: '422' },
  responses500: { status: '500' },
  responses503: { status: '503' },
};

/** One histogram a journal; the compiler holds it against JournalName. */
const commitSeconds: Readonly<Record<`commitSeconds_${JournalName}`, Labels>> = {
  commitSeconds_local: { journal: 'local' },
  commitSeconds_jetstream: { journal: 'jetstream' },
  commitSeconds_direct: { journal: 'direct' },
};

/** Only ever go up, and are summed over all threads. */
export const counterFamilies = [
  {
    name: 'work_done_total',
    help: 'Orders that are through: done, or given up for good (error; in direct mode, failed).',
    cells: { workDone: { status: 'done' }, workError: { status: 'error' } },
  },
  {
    name: 'forebay_http_responses_total',
    help: 'Answers to clients, by HTTP status.',
    cells: responses,
  },
  {
    name: 'forebay_aborted_requests_total',
    help: 'Requests whose client went away before the answer.',
    cells: { abortedRequests: {} },
  },
  {
    name: 'forebay_orders_accepted_total',
    help: 'Orders made durable and answered 200 (in direct mode: processed).',
    cells: { ordersAccepted: {} },
  },
  {
    name: 'forebay_spooled_orders_total',
    help: 'Orders accepted by the local spool because NATS did not take them.',
    cells: { ordersSpooled: {} },
  },
  {
    name: 'forebay_spool_forwarded_orders_total',
    help: 'Orders of the spool that NATS has taken over.',
    cells: { ordersForwarded: {} },
  },
  {
    name: 'forebay_idempotent_replays_total',
    help: 'Requests whose idempotency key was known: answered as its order was before.',
    cells: { idempotentReplays: {} },
  },
  {
    name: 'forebay_idempotency_refused_total',
    help: 'Requests with an idempotency key answered 503 because too many keys are remembered or awaited.',
    cells: { idempotencyRefused: {} },
  },
  {
    name: 'forebay_key_rows_failed_total',
    help: 'Frames in NATS whose idempotency keys could not be noted on disk at once; they are read from NATS again.',
    cells: { keyRowsFailed: {} },
  },
  {
    name: 'forebay_frames_committed_total',
    help: 'Frames that a journal acknowledged.',
    cells: { framesCommitted: {} },
  },
  {
    name: 'forebay_commit_failures_total',
    help: 'Frames that were not acknowledged: refused (not kept for certain), or ambiguous.',
    cells: {
      commitsRefused: { reason: 'refused' },
      commitsAmbiguous: { reason: 'ambiguous' },
    },
  },
  {
    name: 'forebay_retries_total',
    help: 'Orders filed again after a failed attempt.',
    cells: { retries: {} },
  },
  {
    name: 'forebay_dead_total',
    help: 'Orders that became dead letters.',
    cells: { dead: {} },
  },
  {
    name: 'forebay_dead_refused_total',
    help: 'Times that an order failed for good and was put off instead, because --dead-max letters are kept.',
    cells: { deadRefused: {} },
  },
  {
    name: 'forebay_foreign_messages_total',
    help: 'Messages in the journal of NATS that are no frames, from whoever; see the stream FOREBAY_FOREIGN.',
    cells: { foreignMessages: {} },
  },
  {
    name: 'forebay_handler_thread_deaths_total',
    help: 'Pool threads that died under the handler, or were ended because it did not return, and were replaced.',
    cells: { handlerThreadDeaths: {} },
  },
  {
    name: 'forebay_intake_thread_restarts_total',
    help: 'Intake threads that died and were started again.',
    cells: { intakeThreadRestarts: {} },
  },
] as const satisfies readonly CellFamily[];

/** Seconds; 100 µs to 10 s. */
const shortSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Summed over all threads. */
export const histogramFamilies = [
  {
    name: 'forebay_http_request_duration_seconds',
    help: 'From the request line to the answer.',
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
    help: 'From sending a frame to its acknowledgement, by journal.',
    bounds: shortSeconds,
    cells: commitSeconds,
  },
  {
    name: 'forebay_handler_duration_seconds',
    help: 'One call of the handler, with its whole batch.',
    bounds: [
      0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
    ],
    cells: { handlerSeconds: {} },
  },
  {
    name: 'forebay_order_age_seconds',
    help: 'Age of an order when it was done, from its acceptance.',
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600],
    cells: { orderAgeSeconds: {} },
  },
] as const satisfies readonly HistogramFamily[];

/** Summed over all threads. */
export const gaugeFamilies = [
  {
    name: 'forebay_waiting_orders',
    help: 'Orders received and not yet answered.',
    cells: { waitingOrders: {} },
  },
  {
    name: 'forebay_idempotency_keys',
    help: 'Idempotency keys that are remembered; some of those that have expired count for a while.',
    cells: { idempotencyKeys: {} },
  },
  {
    name: 'forebay_spool_orders',
    help: 'Orders in the local spool that wait for NATS to take them over.',
    cells: { spoolOrders: {} },
  },
  {
    name: 'forebay_spool_unfit_orders',
    help: 'Of these, orders of frames that NATS refuses for a reason that does not pass by itself: see the log.',
    cells: { spoolUnfitOrders: {} },
  },
] as const satisfies readonly CellFamily[];

/** What a thread tells about itself; shown by `ThreadLoad`, one series a thread, or not at all. */
export const THREAD_CELLS = ['threadId', 'lagSeconds'] as const;

type KeysOf<F extends CellFamily> = F extends CellFamily ? keyof F['cells'] & string : never;
export type CounterKey = KeysOf<(typeof counterFamilies)[number]>;
export type HistogramKey = KeysOf<(typeof histogramFamilies)[number]>;
export type GaugeKey = KeysOf<(typeof gaugeFamilies)[number]> | (typeof THREAD_CELLS)[number];
