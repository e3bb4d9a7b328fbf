/** A server to compare. It is started again for each measurement, so that no backlog is carried over. */
export interface Contestant {
  /** As shown in tables and matched by `--only`. */
  readonly name: string;
  readonly kind: ContestantKind;
  /** Where an order is when the client gets its 200. */
  readonly durability: Durability;
  /** One line: what it is made of and how it is configured. */
  readonly about: string;
  /** How POST /orders/batch takes many orders in one request; absent: it does not, or that is not measured. */
  readonly batches?: BatchForm;
  /** Installs what it needs. @returns null, or in one line why it cannot run here and the fix */
  missing(): Promise<string | null>;
  /** @throws Error that says why it did not start; nothing is left running */
  start(): Promise<RunningContestant>;
}

/** An order in each line, or a JSON array. */
export type BatchForm = 'lines' | 'array';

export type ContestantKind = 'limit' | 'forebay' | 'other';

export const durabilities = {
  none: 'not stored',
  system: 'operating system, disk later',
  fsync: 'on disk (fsync)',
} as const;

export type Durability = keyof typeof durabilities;

export interface RunningContestant {
  /** Accepts orders at POST /orders, and batches at POST /orders/batch if it takes them. */
  readonly url: string;
  /** Null for servers other than Forebay. */
  readonly adminUrl: string | null;
  /** The process that serves HTTP. */
  readonly pid: number;
  /** The other processes by name (nats-server, redis-server, …). */
  readonly behind: Readonly<Record<string, number>>;
  /** From the start of the HTTP process until it accepts orders. */
  readonly readyMs: number;
  stop(): Promise<void>;
}
