/** One server that is driven. A fresh one each round, so that no backlog is carried over. */
export interface Contestant {
  /** As the tables have it, and as `--only` finds it. */
  readonly name: string;
  readonly kind: ContestantKind;
  /** What has happened to an order when its client gets the answer. */
  readonly durability: Durability;
  /** One line: what it is made of, and what of its best practice it follows. */
  readonly about: string;
  /** @returns why it can't be run here, in one line with the remedy; null: it can */
  missing(): Promise<string | null>;
  /** @throws Error that says why it did not start; nothing is left running then */
  start(): Promise<RunningContestant>;
}

export type ContestantKind = 'limit' | 'forebay' | 'other';

export const durabilities = {
  none: 'nothing is kept',
  memory: 'memory of another process',
  system: 'operating system; to disk later',
  fsync: 'on disk (fsync)',
} as const;

export type Durability = keyof typeof durabilities;

export interface RunningContestant {
  /** It takes orders at POST /orders there. */
  readonly url: string;
  /** Of Forebay only. */
  readonly adminUrl: string | null;
  /** The process that speaks HTTP. */
  readonly pid: number;
  /** The servers behind it by name (nats-server, redis-server, …). */
  readonly behind: Readonly<Record<string, number>>;
  /** From the start of the process that speaks HTTP until it takes orders. */
  readonly readyMs: number;
  stop(): Promise<void>;
}
