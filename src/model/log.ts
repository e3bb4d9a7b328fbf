/** As in Pino. Each event has one level. */
type EventLevel = 'info' | 'warn' | 'error' | 'fatal';

interface EventSpec {
  readonly level: EventLevel;
  /** What has happened, for docs/reference/logs.md. */
  readonly what: string;
}

/**
 * Every log event, by the stable name in the member `event` of a line. `error` and `fatal` need an operator; `warn`
 * is for trouble that may pass or is retried.
 */
export const LOG_EVENTS = {
  ready: {
    level: 'info',
    what: 'the server accepts orders; `path` and `schema` (a digest) say which',
  },
  'http-engine': {
    level: 'info',
    what: 'which HTTP engine serves the orders, and why if it is not the fastest',
  },
  'tls-renewed': {
    level: 'info',
    what: 'the files of TLS have changed: new connections get the new certificate, the others go on',
  },
  'tls-renewal-failed': {
    level: 'error',
    what: 'the files of TLS have changed and cannot be used: the certificate before stays in use',
  },
  'tls-certificate-invalid': {
    level: 'error',
    what: 'the certificate of the server has expired, or is not valid yet',
  },
  'senders-renewed': {
    level: 'info',
    what: 'the file of --api-keys or --verify-secrets has changed: its new content is in use',
  },
  'senders-refused': {
    level: 'error',
    what: 'the file of --api-keys or --verify-secrets has changed and cannot be used: the content before stays in use',
  },
  'admin-open': {
    level: 'warn',
    what: 'the admin server listens beyond this machine and asks for no token: everybody who reaches its port can read the live page and /metrics',
  },
  'admin-token-readable': {
    level: 'warn',
    what: 'every user of the machine can read the file of --admin-token-file',
  },
  'admin-token-renewed': {
    level: 'info',
    what: 'the file of --admin-token-file has changed: its new tokens are in use',
  },
  'admin-token-refused': {
    level: 'error',
    what: 'the file of --admin-token-file has changed and cannot be used: the tokens before stay in use',
  },
  'admin-login': { level: 'info', what: 'somebody logged in to the live page' },
  'admin-login-failed': {
    level: 'warn',
    what: 'a request to the admin server had a wrong token; after 10 different ones from an address, one in 5 s is looked at',
  },
  guarantee: {
    level: 'info',
    what: 'NATS: which failures an accepted order survives; logged again when it changes',
  },
  'data-folder-risk': {
    level: 'warn',
    what: 'the file system of --data can lose orders that were flushed, for example because it is memory',
  },
  'secret-exposed': {
    level: 'warn',
    what: 'a password was given on the command line, which every user of the machine can read',
  },
  'variables-ignored': {
    level: 'info',
    what: 'variables that Kubernetes set for a Service begin with FOREBAY_ and are ignored',
  },
  'guarantee-fell': {
    level: 'error',
    what: 'an accepted order survives fewer failures than before',
  },
  'journal-down': {
    level: 'warn',
    what: 'NATS does not answer, or the connection is lost; retried',
  },
  'journal-up': { level: 'info', what: 'NATS answers again' },
  'journal-broken': {
    level: 'warn',
    what: 'NATS answers but does not serve a part of the journal, for example a stream that is gone or has no leader; retried',
  },
  'journal-remade': {
    level: 'error',
    what: 'a stream or consumer of the journal was gone and was created again; the messages of a stream that was gone are lost',
  },
  'journal-repaired': { level: 'info', what: 'NATS serves the whole journal again' },
  spooling: { level: 'warn', what: 'NATS did not answer at the start: orders go to the spool' },
  'spool-waits': { level: 'warn', what: 'NATS does not accept frames from the spool; retried' },
  'spool-unfit': {
    level: 'error',
    what: 'NATS rejects a frame of the spool because of its content: it stays in the spool, and the frames behind it are forwarded',
  },
  'ledger-waits': { level: 'warn', what: 'the ledger cannot be read; retried' },
  'ledger-refused': {
    level: 'error',
    what: 'the ledger accepts no entries: other processes on this stream may process orders twice',
  },
  'ledger-unreadable': {
    level: 'error',
    what: 'NATS: an entry of the ledger was written by another program, or is damaged; it is ignored, so another process may process its orders twice',
  },
  'copy-accepted': {
    level: 'warn',
    what: 'the data folder is a copy that was made while a server used it, and --accept-copy is on; or it can be one, and its file system changes inode numbers: orders can be missing, or be processed a second time',
  },
  'settle-waits': { level: 'warn', what: 'a processed frame cannot be settled; retried' },
  'settle-lost': {
    level: 'error',
    what: 'a frame was processed while NATS was unavailable, and the shutdown could not record that: it will be processed again',
  },
  'dead-letters-wait': {
    level: 'warn',
    what: 'NATS does not accept dead letters from before the restart; retried',
  },
  'frame-unreadable': {
    level: 'error',
    what: 'an entry of the journal is not a frame, or is damaged; NATS: it moves to the stream FOREBAY_FOREIGN; local: forebay dlq unreadable lists it, or the disk does not return it, and that is retried',
  },
  'log-damaged': {
    level: 'error',
    what: 'a record of the frame log was damaged on the disk; it is set aside in the folder damaged of the data folder, and the records behind it are processed',
  },
  'log-torn': {
    level: 'warn',
    what: 'a record of the frame log is incomplete, as after a crash within its write: no order in it was answered 200',
  },
  'stranded-removed': {
    level: 'info',
    what: 'NATS kept a message that it will not deliver again, for example after a power cut; its orders were settled, so it is removed',
  },
  'stranded-processed': {
    level: 'warn',
    what: 'like stranded-removed, but the ledger does not know the orders: they are processed, perhaps for the second time',
  },
  'letter-unreadable': {
    level: 'error',
    what: 'an entry among the dead letters is not a dead letter, or is damaged; local: forebay dlq unreadable lists it; NATS: it stays in place',
  },
  'keys-unreadable': {
    level: 'error',
    what: 'the idempotency keys of a frame are damaged and forgotten: a client that repeats such an order makes a second one',
  },
  'keys-left-out': {
    level: 'warn',
    what: 'idempotency keys beyond --idempotency-keys-max are forgotten',
  },
  'keys-unknown': { level: 'warn', what: 'NATS did not return the latest idempotency keys' },
  'handler-threw': {
    level: 'warn',
    what: 'the handler threw, or returned no list of outcomes: its batch is split in halves and run again; or an outcome is none of done, retry, dead: its order fails; or an outcome has an unknown member',
  },
  'handler-away': {
    level: 'warn',
    what: 'the handler cannot be loaded, or threw with pause: true; retried',
  },
  'handler-back': { level: 'info', what: 'the handler works again' },
  'handler-thread-died': {
    level: 'warn',
    what: 'a pool thread died: a new one replaces it, and the batch is run again',
  },
  'handler-late': {
    level: 'warn',
    what: 'a handler call took longer than --handler-ms-max: its thread was terminated, and its orders are run one by one',
  },
  'handler-stray-error': {
    level: 'error',
    what: 'the handler left an error behind that no running call made, such as a promise that rejects later: no order is blamed; or a pool thread ended outside of a call',
  },
  'instance-lost': {
    level: 'warn',
    what: 'NATS: another instance sends no heartbeats any more; `frames` that it had are delivered again at once',
  },
  'dead-letter': {
    level: 'warn',
    what: 'an order is a dead letter now: its id, the reason without what the order says, and the attempts; after 20 lines in ten seconds, one line for each reason with the number of orders and the id of one',
  },
  'crash-suspects': {
    level: 'warn',
    what: 'a process died while orders were in progress: each of them runs alone; with NATS also the orders of another process that died',
  },
  'crash-uncounted': {
    level: 'error',
    what: 'the file hand in the data folder cannot be written: after a crash, the orders in progress are unknown',
  },
  'order-kills': {
    level: 'error',
    what: 'an order became a dead letter because processes died while it ran',
  },
  'drain-set': {
    level: 'info',
    what: 'an operator or the schedule has changed the drain rate, or has paused or resumed processing; `by` and `at` say who and when',
  },
  'drain-kept': {
    level: 'info',
    what: 'at the start: which drain rate, and whether a pause, is in force because an operator has set it before',
  },
  'drain-rate-kept': {
    level: 'warn',
    what: '--drain-rate or --drain-schedule differs from what was set while a server ran: that is in force',
  },
  'drain-register-unreadable': {
    level: 'error',
    what: 'NATS: the message with the drain setting and the shares is damaged; it is replaced, with the last known setting',
  },
  'drain-shares-refused': {
    level: 'error',
    what: 'NATS refuses to store how the instances share the drain rate, for example because its storage is full: the shares stay as they are',
  },
  'schedule-waits': {
    level: 'warn',
    what: 'the rate of the window of --drain-schedule that has begun cannot be set; retried',
  },
  'drain-setting-unreadable': {
    level: 'error',
    what: 'what was set about the drain is damaged: --drain-rate is in force, and a pause has ended',
  },
  'heap-limit-overridden': {
    level: 'warn',
    what: 'a flag of node, such as --max-old-space-size in NODE_OPTIONS, overrides --worker-heap-mb',
  },
  'dead-letters-full': {
    level: 'error',
    what: '--dead-max is reached: orders that failed for good are retried later',
  },
  'connections-refused': {
    level: 'warn',
    what: 'clients opened more connections than --connections-max or --connections-per-address-max: they are answered 503 and closed',
  },
  'intake-thread-failed': { level: 'error', what: 'an intake thread ended because of a bug' },
  'intake-thread-restarted': { level: 'warn', what: 'a new intake thread replaces one that ended' },
  'intake-thread-lost': {
    level: 'error',
    what: 'a replacement intake thread did not start: the other threads take the orders',
  },
  stopping: { level: 'info', what: 'the process was told to stop' },
  'stop-delayed': {
    level: 'info',
    what: '/readyz is 503 from now on, and orders are still taken for --shutdown-delay-ms',
  },
  'stop-hurried': {
    level: 'warn',
    what: 'a second signal has ended --shutdown-delay-ms: the server stops now',
  },
  'stop-step-failed': {
    level: 'error',
    what: 'a step of the shutdown failed; the next steps still run',
  },
  'stop-forced': { level: 'warn', what: 'a second signal: the process ends at once' },
  'stop-late': { level: 'error', what: '--shutdown-ms-max is over: the process ends at once' },
  stopped: { level: 'info', what: 'the shutdown is complete' },
  failed: { level: 'fatal', what: 'an error that the operator can fix ends the process' },
  bug: { level: 'fatal', what: 'a bug ends the process; the line has the stack' },
} as const satisfies Readonly<Record<string, EventSpec>>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** Events whose lines are bounded where they are logged, so that none is held back. */
export const BOUNDED_EVENTS: ReadonlySet<LogEvent> = new Set<LogEvent>(['dead-letter']);

/** Lines within ten seconds, for events of which each line counts: what an operator does. All others have one. */
export const LINES_MAX: ReadonlyMap<LogEvent, number> = new Map([['drain-set', 20]]);

/** Short facts beside the message. Never the content of an order, never a password. */
export type LogFields = Readonly<Record<string, string | number | boolean | Error>>;

/** A line of the log, as the live page shows it. */
export interface LoggedEvent {
  readonly atMs: number;
  readonly level: EventLevel;
  readonly event: LogEvent;
  /** Without secrets; of bounded length. */
  readonly line: string;
  /** Its fields in a few words, such as `order 6Ab-0, attempts 3`; bounded like the line, without errors and reasons. */
  readonly facts: string;
  /** Lines of the same event since the one before that were left out. */
  readonly leftOut: number;
}

/**
 * Writes one line for the operator. Neither message nor fields may contain what a client sent, nor the message of
 * an error that a handler threw, because that may quote an order. Repeated events are rate limited, see
 * log/open-log.ts.
 */
export type Log = (event: LogEvent, message: string, fields?: LogFields) => void;
