import type { Register } from './register.js';
import { allowedSlots, type ProcessFacts, planShare, type ShareTiming } from './share-plan.js';

export interface LeaseTiming extends ShareTiming {
  /** How long an answer is good for, from the moment when it was asked for. Shorter than `takeMs` by more than a window. */
  readonly validMs: number;
  /** A window, and what clocks may differ within it. */
  readonly windowMs: number;
}

/** A version of the register, with the number of its message. */
export interface KnownRegister {
  readonly register: Register;
  readonly seq: number;
}

/** Since when a process has been seen to be gone, or called dead at that `rev`. */
interface EndedProcess {
  readonly suspectRev: number;
  readonly sinceMs: number;
}

/**
 * What one process has learned of the register. Its share is a lease: it is valid until some time after the sending of the
 * last request that has shown it, and did not show it as called dead. Whoever takes the share of a process that was called
 * dead waits for longer than that, so no process need be dead to lose its share. Times are those of one monotonic clock.
 *
 * Source: Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency"
 * (SOSP 1989).
 */
export interface ShareState {
  readonly id: string;
  readonly startedMs: number;
  /** Null before the first answer, and when the register is gone. */
  readonly known: KnownRegister | null;
  readonly validUntilMs: number;
  /** Until then, orders that an earlier run of this process has started may be within a window. */
  readonly quietUntilMs: number;
  readonly ended: ReadonlyMap<string, EndedProcess>;
  readonly turnSinceMs: number;
}

/** @param startedMs since when no earlier run of this process has started an order */
export function noShare(id: string, startedMs: number): ShareState {
  return {
    id,
    startedMs,
    known: null,
    validUntilMs: Number.NEGATIVE_INFINITY,
    quietUntilMs: Number.POSITIVE_INFINITY,
    ended: new Map(),
    turnSinceMs: 0,
  };
}

/**
 * An answer has come.
 * @param found null when there is no register
 * @param sentMs when the request was sent
 */
export function afterRead(
  state: ShareState,
  found: KnownRegister | null,
  sentMs: number,
  nowMs: number,
  timing: LeaseTiming,
): ShareState {
  if (found === null) {
    return { ...noShare(state.id, state.startedMs), quietUntilMs: state.quietUntilMs };
  }
  const before = state.known?.register;
  const { register } = found;
  const isSameEpoch = before?.epoch === register.epoch;
  // Answered by a server that has fallen behind.
  if (isSameEpoch && register.rev < before!.rev) return state;
  const isSameTurn = isSameEpoch && before?.turn === register.turn;
  return {
    ...state,
    known: found,
    validUntilMs: validUntil(state, register, sentMs + timing.validMs),
    quietUntilMs: quietUntil(state, register, timing),
    ended: endedProcesses(state.ended, register, nowMs),
    turnSinceMs: isSameTurn ? state.turnSinceMs : nowMs,
  };
}

function validUntil(
  { id, validUntilMs }: ShareState,
  { setting, shares }: Register,
  untilMs: number,
) {
  if (setting.rate === 0) return Math.max(validUntilMs, untilMs);
  const mine = shares.get(id);
  if (mine === undefined || mine.isGone) return Number.NEGATIVE_INFINITY;
  return mine.suspectRev > 0 ? validUntilMs : Math.max(validUntilMs, untilMs);
}

/** A share that is there before this run has joined is one of an earlier run. */
function quietUntil(state: ShareState, { shares }: Register, { windowMs }: LeaseTiming): number {
  const { id, startedMs, quietUntilMs } = state;
  if (quietUntilMs < Number.POSITIVE_INFINITY) return quietUntilMs;
  return shares.has(id) ? startedMs + windowMs : Number.NEGATIVE_INFINITY;
}

function endedProcesses(
  before: ReadonlyMap<string, EndedProcess>,
  { shares }: Register,
  nowMs: number,
): Map<string, EndedProcess> {
  const ended = new Map<string, EndedProcess>();
  for (const [id, { isGone, suspectRev }] of shares) {
    if (!isGone && suspectRev === 0) continue;
    const known = before.get(id);
    const isKnown = known !== undefined && known.suspectRev === suspectRev;
    ended.set(id, isKnown ? known : { suspectRev, sinceMs: nowMs });
  }
  return ended;
}

/**
 * Orders that the process may start in any second. It gives back only what it has no use for by the version that it knows.
 * So it need not know whether a version that it has sent was stored.
 */
export function shareOf({ id, known }: ShareState): number {
  return known === null ? 0 : allowedSlots(known.register, id);
}

/** Whether the share may be used now. */
export function isUsable({ validUntilMs, quietUntilMs }: ShareState, nowMs: number): boolean {
  return nowMs < validUntilMs && nowMs >= quietUntilMs;
}

/** The version that the process has to write next; null when none. */
export function nextRegister(
  state: ShareState,
  facts: Omit<ProcessFacts, 'id' | 'endedMs' | 'turnMs'>,
  timing: ShareTiming,
  nowMs: number,
): Register | null {
  const { id, known, ended, turnSinceMs, quietUntilMs } = state;
  if (known === null) return null;
  const all: ProcessFacts = {
    ...facts,
    id,
    inUse: nowMs < quietUntilMs ? Number.POSITIVE_INFINITY : facts.inUse,
    endedMs: (other) => nowMs - (ended.get(other)?.sinceMs ?? nowMs),
    turnMs: nowMs - turnSinceMs,
  };
  return planShare(known.register, all, timing);
}
