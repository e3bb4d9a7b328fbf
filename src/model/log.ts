/** As in Pino; each event has its own, so that one kind of trouble is never told at two levels. */
type EventLevel = 'info' | 'warn' | 'error' | 'fatal';

interface EventSpec {
  readonly level: EventLevel;
  /** What has happened, for docs/reference/logs.md. */
  readonly what: string;
}

/**
 * Everything that the log can tell, by the stable name in its member `event`. `error` and `fatal` are for
 * what somebody must look at; `warn` for what passes by itself or is being tried on.
 */
export const LOG_EVENTS = {
  ready: { level: 'info', what: 'orders are taken from now on' },
  guarantee: {
    level: 'info',
    what: 'what an accepted order survives, with NATS; told again when it changes',
  },
  'guarantee-fell': {
    level: 'error',
    what: 'an accepted order survives less than before',
  },
  'journal-down': {
    level: 'warn',
    what: 'NATS does not answer, or the connection is lost; tried on',
  },
  'journal-up': { level: 'info', what: 'NATS answers again' },
  'journal-broken': {
    level: 'warn',
    what: 'NATS answers, but does not serve a part of the journal: it is gone say, or has no leader; tried on',
  },
  'journal-remade': {
    level: 'error',
    what: 'a stream or consumer of the journal was gone, and was made anew; what a stream held is lost',
  },
  'journal-mended': { level: 'info', what: 'NATS serves all of the journal again' },
  spooling: { level: 'warn', what: 'NATS did not answer at the start: orders go to the spool' },
  'spool-waits': { level: 'warn', what: 'NATS takes no frames from the spool; tried on' },
  'spool-unfit': {
    level: 'error',
    what: 'NATS refuses a frame of the spool for what it is: it stays there, and those behind it go on',
  },
  'ledger-waits': { level: 'warn', what: 'the ledger cannot be read; tried on' },
  'ledger-refused': {
    level: 'error',
    what: 'the ledger takes no entries: other processes on this stream may process orders twice',
  },
  'settle-waits': { level: 'warn', what: 'a processed frame cannot be settled; tried on' },
  'settle-lost': {
    level: 'error',
    what: 'a frame processed while NATS was away could not be noted at the stop: it will be processed again',
  },
  'dead-letters-wait': {
    level: 'warn',
    what: 'NATS does not take the dead letters of an earlier life; tried on',
  },
  'frame-unreadable': {
    level: 'error',
    what: 'what lies in the journal is no frame; NATS: it goes to the stream <stream>_FOREIGN; local: it stays where it is',
  },
  'stranded-removed': {
    level: 'info',
    what: 'NATS kept a message that it will not deliver again, after a power cut say; its orders were settled, and it is removed',
  },
  'stranded-processed': {
    level: 'warn',
    what: 'the same, but nothing is known of its orders: they are processed, for the second time if they were long ago',
  },
  'letter-unreadable': {
    level: 'error',
    what: 'what lies among the dead letters is none; it is left there',
  },
  'keys-left-out': {
    level: 'warn',
    what: 'idempotency keys beyond --idempotency-keys-max are forgotten',
  },
  'keys-unknown': { level: 'warn', what: 'NATS did not tell the last idempotency keys' },
  'handler-threw': { level: 'warn', what: 'the handler threw: its batch is run again in halves' },
  'handler-away': {
    level: 'warn',
    what: 'what the handler works for is away, or it cannot be loaded; tried on',
  },
  'handler-back': { level: 'info', what: 'the handler works again' },
  'handler-thread-died': {
    level: 'warn',
    what: 'a pool thread died: a new one takes its place, the batch is run again',
  },
  'handler-late': {
    level: 'warn',
    what: 'a call of the handler took longer than --handler-ms-max: its thread was ended, and its orders are run one by one',
  },
  'handler-stray-error': {
    level: 'error',
    what: 'the handler threw while none of its batches was running',
  },
  'dead-letters-full': {
    level: 'error',
    what: '--dead-max is reached: orders that fail for good are put off',
  },
  'intake-thread-failed': { level: 'error', what: 'an intake thread met a bug and ends' },
  'intake-thread-restarted': {
    level: 'warn',
    what: 'a new intake thread takes the place of one that ended',
  },
  'intake-thread-lost': {
    level: 'error',
    what: 'that new one did not start: the others take the orders',
  },
  stopping: { level: 'info', what: 'told to stop' },
  'stop-step-failed': {
    level: 'error',
    what: 'something did not stop in order; the rest is stopped all the same',
  },
  'stop-forced': { level: 'warn', what: 'told to stop again: the process ends at once' },
  'stop-late': { level: 'error', what: '--shutdown-ms-max has passed: the process ends at once' },
  stopped: { level: 'info', what: 'stopped in order' },
  failed: { level: 'fatal', what: 'a fault that the operator can mend ends the process' },
  bug: { level: 'fatal', what: 'a bug ends the process; the line has its stack' },
} as const satisfies Readonly<Record<string, EventSpec>>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** Short facts beside the line. Never what stands in an order, nor a password. */
export type LogFields = Readonly<Record<string, string | number | boolean | Error>>;

/**
 * Tells the operator what has happened, in one line. Neither line nor fields may hold what a client sent, nor the
 * message of what a handler threw, for that may. Cheap to call again and again: what repeats is
 * held to a rate, see log/bounded.ts.
 */
export type Log = (event: LogEvent, line: string, fields?: LogFields) => void;
