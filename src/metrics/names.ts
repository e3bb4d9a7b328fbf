import type { Status } from '../model/answers.js';

/**
 * The catalogue of all metrics that /metrics shows. Counting (count.ts), collecting (collect.ts) and
 * docs/reference/metrics.md are derived from it.
 *
 * A member of `cells` is one time series: its key is the name in the code (`COUNTER.workDone`), its value are the labels.
 * Every series exists from the start, at 0.
 */
export interface CellFamily {
  readonly name: string;
  readonly help: string;
  readonly cells: Readonly<Record<string, Labels>>;
}

/** The media type of what /metrics answers: that of prom-client's text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

/** The cell of each status; the compiler checks that none of STATUSES is missing. */
const responses: Readonly<Record<`responses${Status}`, Labels>> = {
  responses200: { status: '200' },
  responses400: { status: '400' },
  responses401: { status: '401' },
  responses404: { status: '404' },
  responses405: { status: '405' },
  responses413: { status: '413' },
  responses415: { status: '415' },
  responses422: { status: '422' },
  responses429: { status: '429' },
  responses431: { status: '431' },
  responses500: { status: '500' },
  responses503: { status: '503' },
};

/** Monotonic, and summed over all threads. */
export const counterFamilies = [
  {
    name: 'work_done_total',
    help: 'Finished orders: done, or failed for good (error; in direct mode, any failure).',
    cells: { workDone: { status: 'done' }, workError: { status: 'error' } },
  },
  {
    name: 'forebay_http_responses_total',
    help: 'HTTP responses, by status.',
    cells: responses,
  },
  {
    name: 'forebay_aborted_requests_total',
    help: 'Requests whose client disconnected before the response.',
    cells: { abortedRequests: {} },
  },
  {
    name: 'forebay_connections_refused_total',
    help: 'Connections closed at once: more than --connections-max, or more than --connections-per-address-max from one address.',
    cells: {
      connectionsRefused: { limit: 'all' },
      addressesRefused: { limit: 'address' },
    },
  },
  {
    name: 'forebay_unread_connections_total',
    help: 'Connections closed because the client sent requests and did not read the responses.',
    cells: { unreadConnections: {} },
  },
  {
    name: 'forebay_gzip_requests_total',
    help: 'Requests whose body was sent with Content-Encoding: gzip, valid or not.',
    cells: { gzipBodies: {} },
  },
  {
    name: 'forebay_bodies_refused_total',
    help: 'Requests answered 503 because bodies that were still arriving used all the memory that they may.',
    cells: { bodiesRefused: {} },
  },
  {
    name: 'forebay_withdrawn_orders_total',
    help: 'Orders that were not stored, because their client disconnected before their frame was sent.',
    cells: { ordersWithdrawn: {} },
  },
  {
    name: 'forebay_orders_accepted_total',
    help: 'Orders made durable and answered with 200 (in direct mode: processed).',
    cells: { ordersAccepted: {} },
  },
  {
    name: 'forebay_spooled_orders_total',
    help: 'Orders accepted by the local spool because NATS did not accept them.',
    cells: { ordersSpooled: {} },
  },
  {
    name: 'forebay_spool_forwarded_orders_total',
    help: 'Orders forwarded from the spool to NATS.',
    cells: { ordersForwarded: {} },
  },
  {
    name: 'forebay_idempotent_replays_total',
    help: 'Requests with a known idempotency key that got the response of the first request again.',
    cells: { idempotentReplays: {} },
  },
  {
    name: 'forebay_idempotency_refused_total',
    help: 'Requests with an idempotency key answered with 503 because too many keys are kept or too many requests wait for a key.',
    cells: { idempotencyRefused: {} },
  },
  {
    name: 'forebay_key_rows_failed_total',
    help: 'Frames in NATS whose idempotency keys could not be written to disk at once; they are read from NATS later.',
    cells: { keyRowsFailed: {} },
  },
  {
    name: 'forebay_frames_committed_total',
    help: 'Frames acknowledged by the journal.',
    cells: { framesCommitted: {} },
  },
  {
    name: 'forebay_commit_failures_total',
    help: 'Frames not acknowledged by the journal: refused (certainly not kept) or ambiguous (unknown).',
    cells: {
      commitsRefused: { reason: 'refused' },
      commitsAmbiguous: { reason: 'ambiguous' },
    },
  },
  {
    name: 'forebay_admitted_orders_total',
    help: 'Orders admitted to the handler, which is what --drain-rate limits; every attempt counts.',
    cells: { ordersAdmitted: {} },
  },
  {
    name: 'forebay_retries_total',
    help: 'Orders scheduled again after a failed attempt.',
    cells: { retries: {} },
  },
  {
    name: 'forebay_dead_total',
    help: 'Orders that became dead letters.',
    cells: { dead: {} },
  },
  {
    name: 'forebay_dead_refused_total',
    help: 'How often an order failed for good but was retried later, because --dead-max dead letters are kept.',
    cells: { deadRefused: {} },
  },
  {
    name: 'forebay_foreign_messages_total',
    help: 'Messages in the NATS journal that are not frames; they are moved to the stream FOREBAY_FOREIGN.',
    cells: { foreignMessages: {} },
  },
  {
    name: 'forebay_handler_thread_deaths_total',
    help: 'Pool threads that died in the handler, or were ended because it did not return in time, and were replaced.',
    cells: { handlerThreadDeaths: {} },
  },
  {
    name: 'forebay_suspect_runs_total',
    help: 'Orders run alone, because they were in progress when a process died; each run counts.',
    cells: { suspectRuns: {} },
  },
  {
    name: 'forebay_handler_stray_errors_total',
    help: 'Errors of the handler that no running call made, such as a promise left behind that rejects later; no order is blamed.',
    cells: { handlerStrayErrors: {} },
  },
  {
    name: 'forebay_intake_thread_restarts_total',
    help: 'Intake threads that died and were restarted.',
    cells: { intakeThreadRestarts: {} },
  },
] as const satisfies readonly CellFamily[];

/** A counter with a label for each API key of `--api-keys`. Its series exist for the names of the file. */
export const keyFamily = {
  name: 'forebay_key_responses_total',
  help: 'Responses to requests with an API key, by the name of the key and what became of the request: accepted (200), limited (429), refused (any other). The first 100 names have their own label, all others are other.',
  labels: ['key', 'outcome'],
} as const;

/** A counter with a label for each reason that occurs, up to a limit. */
export const reasonFamily = {
  name: 'forebay_failed_attempts_total',
  help: 'Attempts of orders that failed, by what became of the order (retry, dead, or refused in direct mode) and the reason: that of the handler, without the values of the order, or what went wrong. The first 50 reasons have their own label, all others are other.',
  labels: ['outcome', 'reason'],
} as const;

/** Summed over all threads. */
export const gaugeFamilies = [
  {
    name: 'forebay_open_connections',
    help: 'Open connections of clients to the port for orders.',
    cells: { openConnections: {} },
  },
  {
    name: 'forebay_waiting_orders',
    help: 'Orders received and not answered yet.',
    cells: { waitingOrders: {} },
  },
  {
    name: 'forebay_idempotency_keys',
    help: 'Idempotency keys kept; expired keys count until they are removed.',
    cells: { idempotencyKeys: {} },
  },
  {
    name: 'forebay_spool_orders',
    help: 'Orders in the local spool that have not been forwarded to NATS.',
    cells: { spoolOrders: {} },
  },
  {
    name: 'forebay_spool_unfit_orders',
    help: 'Orders in the spool whose frames NATS refuses permanently; the log has the reason.',
    cells: { spoolUnfitOrders: {} },
  },
] as const satisfies readonly CellFamily[];

/** Cells that a thread publishes about itself. `ThreadLoad` reads them; they are not series of their own. */
export const THREAD_CELLS = ['threadId', 'lagSeconds'] as const;

/** The keys in the code of all series of these families. */
export type KeysOf<F extends CellFamily> = F extends CellFamily ? keyof F['cells'] & string : never;
export type CounterKey = KeysOf<(typeof counterFamilies)[number]>;
export type GaugeKey = KeysOf<(typeof gaugeFamilies)[number]> | (typeof THREAD_CELLS)[number];

/** Gauges that are computed at the scrape instead of being kept in a cell. */
export interface LiveFamily {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** The values of the live gauges without labels. Called in the main thread. */
export interface LiveGauges {
  readonly rps: () => number;
  readonly pendingOrders: () => number;
  readonly oldestAgeSeconds: () => number;
  readonly deadLetters: () => number;
  readonly deadLettersMax: () => number;
  readonly diskFreeBytes: () => number;
  readonly diskSizeBytes: () => number;
  readonly journalBytes: () => number;
  readonly unreadableRows: () => number;
  readonly damagedFiles: () => number;
  readonly rpsLimit: () => number;
  readonly drainRate: () => number;
  readonly spoolOrdersMax: () => number;
  readonly ready: () => number;
  readonly journalReachable: () => number;
  readonly journalDegraded: () => number;
  readonly drainPaused: () => number;
  readonly backlogGoneAt: () => number;
  readonly windowEndsAt: () => number;
  readonly tlsNotAfter: () => number;
  readonly senderFilesRefused: () => number;
}

export const liveFamilies = {
  rps: {
    name: 'forebay_rps',
    help: 'Requests received in the last second.',
    labels: [],
  },
  pendingOrders: {
    name: 'forebay_journal_pending_orders',
    help: 'Orders in the journal that are not settled, including those being processed.',
    labels: [],
  },
  oldestAgeSeconds: {
    name: 'forebay_journal_oldest_age_seconds',
    help: 'Age of the oldest order that is not settled; 0 if there is none.',
    labels: [],
  },
  deadLetters: {
    name: 'forebay_dead_letters',
    help: 'Dead letters kept now; forebay dlq lists them.',
    labels: [],
  },
  deadLettersMax: {
    name: 'forebay_dead_letters_max',
    help: 'Limit of dead letters: --dead-max.',
    labels: [],
  },
  diskFreeBytes: {
    name: 'forebay_disk_free_bytes',
    help: 'Bytes that can still be written to the file system of --data; below 32 MiB, orders are refused. 0 in direct mode.',
    labels: [],
  },
  diskSizeBytes: {
    name: 'forebay_disk_size_bytes',
    help: 'Bytes of the file system of --data, free or not; 0 in direct mode.',
    labels: [],
  },
  journalBytes: {
    name: 'forebay_journal_bytes',
    help: 'Bytes of the journal. Local: its files in --data, which keep their size when orders leave them. NATS: the stream of orders. 0 in direct mode.',
    labels: [],
  },
  unreadableRows: {
    name: 'forebay_unreadable_rows',
    help: 'Rows of the journal in the data folder that cannot be read; forebay dlq unreadable lists them.',
    labels: [],
  },
  damagedFiles: {
    name: 'forebay_damaged_files',
    help: 'Files in the folder damaged of the data folder: what could not be read and was set aside.',
    labels: [],
  },
  rpsLimit: {
    name: 'forebay_rps_limit',
    help: 'Limit of requests per second: --rps-limit; 0 for no limit.',
    labels: [],
  },
  drainRate: {
    name: 'forebay_drain_rate',
    help: 'Limit of orders processed per second that is in force, by --drain-rate or as set since; 0 for no limit.',
    labels: [],
  },
  spoolOrdersMax: {
    name: 'forebay_spool_orders_max',
    help: 'Limit of orders in the local spool: --spool-orders-max; 0 without NATS, because only NATS needs a spool.',
    labels: [],
  },
  ready: {
    name: 'forebay_ready',
    help: '1 if orders can be accepted, else 0; /readyz has the reasons.',
    labels: [],
  },
  journalReachable: {
    name: 'forebay_journal_reachable',
    help: '1 if the journal is reachable, else 0; always 1 in direct mode, which has no journal.',
    labels: [],
  },
  journalDegraded: {
    name: 'forebay_journal_degraded',
    help: '1 if the journal is reachable but does not work as it should, for example because a setting or limit of NATS keeps orders waiting, else 0; /readyz has the reason.',
    labels: [],
  },
  drainPaused: {
    name: 'forebay_drain_paused',
    help: '1 if processing is paused, by an operator or by the handler, for example because its database is unreachable, else 0; /readyz has the reason.',
    labels: [],
  },
  backlogGoneAt: {
    name: 'forebay_backlog_gone_timestamp_seconds',
    help: 'When the backlog will be gone, by the rate in force, --drain-schedule and the last seconds, in epoch seconds: now if there is none, +Inf if it grows, 0 if that is unknown, for example while processing is paused.',
    labels: [],
  },
  windowEndsAt: {
    name: 'forebay_drain_window_end_timestamp_seconds',
    help: 'When the window of --drain-schedule that is in force ends, in epoch seconds; +Inf outside of windows, in paused ones, and while the schedule is not followed.',
    labels: [],
  },
  tlsNotAfter: {
    name: 'forebay_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of --tls-cert expires, in epoch seconds; 0 without TLS.',
    labels: [],
  },
  senderFilesRefused: {
    name: 'forebay_sender_files_refused',
    help: 'Files of --api-keys and --verify-secrets that have changed and cannot be used: the content before stays in use; the log has the reason.',
    labels: [],
  },
  eventLoopLag: {
    name: 'forebay_event_loop_lag_seconds',
    help: 'Longest delay of the event loop in the last 15 seconds, by thread.',
    labels: ['thread'],
  },
  threadCpu: {
    name: 'forebay_thread_cpu_ratio',
    help: 'Share of one core that a thread has used since the last scrape; Linux only, from the second scrape on.',
    labels: ['thread'],
  },
  durability: {
    name: 'forebay_durability_info',
    help: 'Always 1; what an accepted order survives: fsync, replicated, os, none, spool, or unknown (docs/reference/guarantees.md).',
    labels: ['class', 'replicas'],
  },
  buildInfo: {
    name: 'forebay_build_info',
    help: 'Always 1; the labels say what is running, where orders are posted, and the digest of their schema.',
    labels: ['version', 'node', 'mode', 'journal', 'path', 'schema'],
  },
} as const satisfies Readonly<Record<string, LiveFamily>>;
