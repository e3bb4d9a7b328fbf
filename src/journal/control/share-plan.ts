import type { DrainSetting } from '../../model/drain-control.js';
import { type Register, type Share, UNLIMITED_SLOTS } from './register.js';

/** What a process knows besides the register, at this moment. */
export interface ProcessFacts {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Orders that it could start in a second if it had the slots. */
  readonly need: number;
  /** Orders that it has started within the last second, or that it may still start. */
  readonly inUse: number;
  /** Since it first saw the register in this turn. */
  readonly turnMs: number;
  /** Since it first saw that this process is gone, or called dead as it still is. */
  readonly endedMs: (id: string) => number;
  readonly isHeard: (id: string) => boolean;
}

export interface ShareTiming {
  /** How long a share is kept after its process was called dead: the lease, then a window. */
  readonly takeMs: number;
  /** How long a share is kept after its process has ended by itself: a window. */
  readonly goneMs: number;
  readonly turnMs: number;
}

/** Orders that the process may start in any second, as far as this version of the register tells. */
export function allowedSlots(register: Register, id: string): number {
  // When NATS takes no more messages, nobody can join, and only processing frees space.
  if (register.setting.rate === 0) return UNLIMITED_SLOTS;
  const mine = register.shares.get(id);
  if (mine === undefined) return 0;
  const targets = targetsOf(register);
  if (!isNeededByOthers(register, id, (other) => targets.get(other) ?? 0)) return mine.cap;
  return Math.min(mine.cap, targets.get(id) ?? 0);
}

/** The version that the process has to write next, given what it knows; null when all is as it should be. */
export function planShare(
  known: Register,
  facts: ProcessFacts,
  timing: ShareTiming,
): Register | null {
  const rev = known.rev + 1;
  const shares = new Map(known.shares);
  const isTidied = tidy(shares, rev, facts, timing);
  const mine = shares.get(facts.id) ?? newShare(facts);
  const wanted: Share = {
    ...mine,
    host: facts.host,
    pid: facts.pid,
    want: wantOf({ ...known, shares }, mine, facts),
    suspectRev: 0,
    isGone: false,
  };
  shares.set(facts.id, wanted);
  const isTurn = isTurnOver({ ...known, shares }, facts, timing);
  const turn = isTurn ? known.turn + 1 : known.turn;
  const settled = resized({ ...known, shares, turn }, wanted, facts);
  // A process that has lost its share may still have orders in hand, and no slots for them: it joins when they are back.
  if (settled.slots < facts.inUse && !known.shares.has(facts.id)) shares.delete(facts.id);
  else shares.set(facts.id, settled);
  const isChanged = isTidied || isTurn || !isSame(shares.get(facts.id), known.shares.get(facts.id));
  return isChanged ? { ...known, rev, turn, shares } : null;
}

/** The same register with another setting. When the rate falls, what the processes may start falls with it. */
export function withSetting(known: Register, setting: DrainSetting): Register {
  const next: Register = { ...known, rev: known.rev + 1, setting };
  const caps = [...known.shares.values()].reduce((sum, { cap }) => sum + cap, 0);
  if (caps <= totalOf(setting)) return next;
  const targets = targetsOf(next);
  const shares = new Map<string, Share>();
  for (const [id, share] of known.shares) {
    shares.set(id, { ...share, cap: Math.min(share.cap, targets.get(id) ?? 0) });
  }
  return { ...next, shares };
}

/**
 * The process has ended: others take its slots when its last window is over. Null when there is nobody who could: then its
 * share waits for its next start.
 */
export function withoutProcess(known: Register, id: string): Register | null {
  const mine = known.shares.get(id);
  const others = [...known.shares].filter(([other, share]) => other !== id && isLive(share));
  if (mine === undefined || others.length === 0) return null;
  const shares = new Map(known.shares).set(id, { ...mine, cap: 0, want: 0, isGone: true });
  return { ...known, rev: known.rev + 1, shares };
}

/** Removes shares that are over for certain, and calls processes dead that are not heard. Returns whether it did. */
function tidy(
  shares: Map<string, Share>,
  rev: number,
  facts: ProcessFacts,
  timing: ShareTiming,
): boolean {
  let isChanged = false;
  for (const [id, share] of [...shares]) {
    if (id === facts.id) continue;
    if (isOver(id, share, facts, timing)) shares.delete(id);
    else if (isLive(share) && !facts.isHeard(id)) {
      shares.set(id, { ...share, suspectRev: rev });
    } else continue;
    isChanged = true;
  }
  return isChanged;
}

function isOver(
  id: string,
  { isGone, suspectRev }: Share,
  { endedMs }: ProcessFacts,
  { takeMs, goneMs }: ShareTiming,
): boolean {
  if (suspectRev > 0) return endedMs(id) >= takeMs;
  return isGone && endedMs(id) >= goneMs;
}

function newShare({ host, pid }: ProcessFacts): Share {
  return { host, pid, slots: 0, cap: 0, want: 0, suspectRev: 0, isGone: false };
}

/** A smaller want is written only when others could use the difference, so that changing needs cost few writes. */
function wantOf(register: Register, mine: Share, { id, need }: ProcessFacts): number {
  if (register.setting.rate === 0) return UNLIMITED_SLOTS;
  const isHungry = isNeededByOthers(register, id, (_other, { want }) => want);
  const isTaken = need > mine.want && (need > mine.cap || isHungry);
  return isTaken || (need < mine.want && isHungry) ? need : mine.want;
}

/** This process waits for a slot, and the others have had theirs for long enough. */
function isTurnOver(
  register: Register,
  { id, turnMs }: ProcessFacts,
  timing: ShareTiming,
): boolean {
  const { want } = register.shares.get(id)!;
  return turnMs >= timing.turnMs && want > 0 && targetsOf(register).get(id) === 0;
}

/** The share of the process, smaller where it uses no more and others need it, or larger where slots are free. */
function resized(register: Register, mine: Share, { id, inUse }: ProcessFacts): Share {
  const allowed = allowedSlots(register, id);
  let { slots, cap } = mine;
  if (inUse <= allowed) {
    cap = allowed;
    slots = allowed;
  }
  const target = targetsOf(register).get(id) ?? 0;
  // Negative while others have not given back yet what a lower rate takes from them.
  const free = freeOf(register) + mine.slots - slots;
  cap = Math.max(cap, Math.min(target, slots + free));
  return { ...mine, slots: Math.max(slots, cap), cap };
}

/** Whether other processes can use more slots than are free. @param entitled what a process may come to have */
function isNeededByOthers(
  register: Register,
  self: string,
  entitled: (id: string, share: Share) => number,
): boolean {
  let missing = 0;
  for (const [id, share] of register.shares) {
    if (id !== self && isLive(share)) missing += Math.max(0, entitled(id, share) - share.cap);
  }
  return missing > Math.max(0, freeOf(register));
}

function freeOf({ setting, shares }: Register): number {
  let free = totalOf(setting);
  for (const { slots } of shares.values()) free -= slots;
  return free;
}

function totalOf({ rate }: DrainSetting): number {
  return rate === 0 ? Number.MAX_SAFE_INTEGER : rate;
}

/** The slots that each process comes to have, by the wants of all. */
function targetsOf({ setting, shares, turn }: Register): Map<string, number> {
  const wants = new Map<string, number>();
  for (const [id, share] of shares) if (isLive(share)) wants.set(id, share.want);
  if (setting.rate === 0) return new Map([...wants.keys()].map((id) => [id, UNLIMITED_SLOTS]));
  return waterFill(wants, setting.rate, turn);
}

function isLive({ isGone, suspectRev }: Share): boolean {
  return !isGone && suspectRev === 0;
}

/**
 * Divides `total` slots: nobody gets more than it wants, and who gets less than it wants has no less than any other (max-min
 * fairness). With fewer slots than processes that want one, some get one each; which ones changes with `turn`.
 */
export function waterFill(
  wants: ReadonlyMap<string, number>,
  total: number,
  turn: number,
): Map<string, number> {
  const targets = new Map<string, number>([...wants.keys()].map((id) => [id, 0]));
  const wanting = [...wants].filter(([, want]) => want > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (wanting.length > total) {
    for (let i = 0; i < total; i++) targets.set(wanting[(turn + i) % wanting.length]![0], 1);
    return targets;
  }
  wanting.sort(([, a], [, b]) => a - b);
  let left = total;
  for (const [i, [id, want]] of wanting.entries()) {
    const target = Math.min(want, Math.floor(left / (wanting.length - i)));
    targets.set(id, target);
    left -= target;
  }
  return targets;
}

function isSame(a: Share | undefined, b: Share | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.slots === b.slots &&
    a.cap === b.cap &&
    a.want === b.want &&
    a.pid === b.pid &&
    a.host === b.host &&
    a.suspectRev === b.suspectRev &&
    a.isGone === b.isGone
  );
}
