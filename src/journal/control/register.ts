import type { DrainSetting } from '../../model/drain-control.js';

/**
 * What one process may start. The process itself raises `slots` and `cap`; anybody may lower `cap`; only the process lowers
 * `slots`, once it uses no more. So it never uses more than `slots`, also before it has read the newest register.
 */
export interface Share {
  readonly host: string;
  readonly pid: number;
  /** Orders that the process may have started within the last second, or may start. */
  readonly slots: number;
  /** Orders that it may start in any second from now on, at most `slots`. */
  readonly cap: number;
  /** Orders that it could start in a second if it had the slots. */
  readonly want: number;
  /** The `rev` at which another process has called it dead; 0 while nobody has. The process itself sets it back. */
  readonly suspectRev: number;
  /** The process has ended and starts nothing more. */
  readonly isGone: boolean;
}

/** What all processes on a stream share about their drain: the last message of its own stream. */
export interface Register {
  /** Distinguishes a register from an earlier one, which was deleted. */
  readonly epoch: string;
  /** Counts the versions, from 1. */
  readonly rev: number;
  readonly setting: DrainSetting;
  /** Counts the turns that processes take while there are fewer slots than processes. */
  readonly turn: number;
  /** By process: its id stays the same over restarts. */
  readonly shares: ReadonlyMap<string, Share>;
}

/** The slots of a process without a limit. */
export const UNLIMITED_SLOTS = 1e12;

/** Stands for processes that may have shares in a register that is gone. */
export const LOST = 'lost';

/**
 * The first version. Nobody knows which shares an earlier register had, so nothing is given out until they are over for certain.
 * @param isReplaced whether this process knows that there was one
 */
export function firstRegister(epoch: string, setting: DrainSetting, isReplaced: boolean): Register {
  const lost: Share = {
    host: '',
    pid: 0,
    slots: UNLIMITED_SLOTS,
    cap: 0,
    want: 0,
    suspectRev: isReplaced ? 1 : 0,
    isGone: !isReplaced,
  };
  return { epoch, rev: 1, setting, turn: 0, shares: new Map([[LOST, lost]]) };
}

interface Written {
  readonly epoch: string;
  readonly rev: number;
  readonly setting: DrainSetting;
  readonly turn: number;
  readonly shares: Readonly<Record<string, Share>>;
}

export function encodeRegister({ shares, ...rest }: Register): Buffer {
  const written: Written = { ...rest, shares: Object.fromEntries(shares) };
  return Buffer.from(JSON.stringify(written));
}

/** @throws Error it is not a register */
export function decodeRegister(bytes: Uint8Array): Register {
  const written: unknown = JSON.parse(Buffer.from(bytes).toString());
  if (!isWritten(written)) throw new Error('not a register of drain shares');
  const { epoch, rev, setting, turn, shares } = written;
  return { epoch, rev, setting, turn, shares: new Map(Object.entries(shares)) };
}

function isWritten(value: unknown): value is Written {
  if (!isObject(value)) return false;
  const { epoch, rev, setting, turn, shares } = value as Partial<Written>;
  return (
    typeof epoch === 'string' &&
    isNatural(rev) &&
    isNatural(turn) &&
    isSetting(setting) &&
    isObject(shares) &&
    Object.values(shares).every(isShare)
  );
}

function isSetting(value: unknown): value is DrainSetting {
  if (!isObject(value)) return false;
  const { rate, followsSchedule, pause, by, atMs } = value as Partial<DrainSetting>;
  return (
    isNatural(rate) &&
    typeof followsSchedule === 'boolean' &&
    (pause === null || typeof pause === 'string') &&
    typeof by === 'string' &&
    isNatural(atMs)
  );
}

function isShare(value: unknown): value is Share {
  if (!isObject(value)) return false;
  const { host, pid, slots, cap, want, suspectRev, isGone } = value as Partial<Share>;
  return (
    typeof host === 'string' &&
    typeof isGone === 'boolean' &&
    [pid, slots, cap, want, suspectRev].every(isNatural)
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
