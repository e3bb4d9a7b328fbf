import type { Register, Share } from '../../../src/journal/control/register.js';
import type {
  KnownRegister,
  LeaseTiming,
  ShareState,
} from '../../../src/journal/control/share-state.js';
import {
  type Flying,
  type ModelRules,
  type ModelRun,
  type ModelState,
  type Pending,
  startedInWindow,
  successors,
} from './share-model.js';

/** The same text for states that behave alike. */
export function keyOf(state: ModelState, { timing }: ModelRules): string {
  const seqs = new Ranks();
  const marks = new Ranks();
  const shareText = (share: Share) =>
    `${share.slots},${share.cap},${share.want},${share.isGone ? 'g' : marks.of(share.suspectRev)}`;
  const registerText = (register: Register) => {
    const known = texts.get(register);
    if (known !== undefined) return known;
    const { shares, setting } = register;
    const ordered = [...shares].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = `${setting.rate}:${ordered.map(([run, share]) => `${run}=${shareText(share)}`)}`;
    if (ordered.every(([, { suspectRev }]) => suspectRev === 0)) texts.set(register, text);
    return text;
  };
  const knownText = (known: KnownRegister | null) =>
    known === null ? '-' : `${seqs.of(known.seq)}@${registerText(known.register)}`;
  const ended = ({ ended }: ShareState) =>
    [...ended].map(
      ([run, end]) => `${run}.${marks.of(end.suspectRev)}.${Math.min(-end.sinceMs, timing.takeMs)}`,
    );
  const pendingText = (pending: Pending | null) => {
    if (pending === null) return '-';
    const sent = Math.max(pending.sentMs, -timing.validMs);
    if (pending.kind === 'read') return `r${sent}${knownText(pending.found)}`;
    const stored =
      typeof pending.storedAs === 'number' ? seqs.of(pending.storedAs) : pending.storedAs;
    return `w${sent}${seqs.of(pending.base)}${stored}${registerText(pending.next)}`;
  };
  const flyingText = (flying: Flying | null) =>
    flying === null ? '-' : `${seqs.of(flying.base)}${registerText(flying.next)}`;
  seqs.see(state.seq, ...state.runs.flatMap((run) => seqsOf(run)));
  const runs = state.runs.map((run) =>
    [
      knownText(run.state.known),
      Math.max(0, run.state.validUntilMs),
      quietText(run.state, timing),
      ended(run.state),
      pendingText(run.pending),
      flyingText(run.flying),
      run.need,
      run.held,
      run.started,
      run.own,
    ].join(' '),
  );
  const { budget } = state;
  return [
    `${seqs.of(state.seq)}@${registerText(state.register)}`,
    ...runs,
    Object.values(budget).join(),
  ].join('|');
}

/** How long it still waits for the windows of its earlier run, or might. */
function quietText({ quietUntilMs, startedMs }: ShareState, { windowMs }: LeaseTiming): string {
  if (quietUntilMs === Number.POSITIVE_INFINITY) return `?${Math.max(0, startedMs + windowMs)}`;
  return String(Math.max(0, quietUntilMs));
}

function seqsOf({ state, pending, flying }: ModelRun): number[] {
  const seqs = [];
  if (state.known !== null) seqs.push(state.known.seq);
  if (pending?.kind === 'read' && pending.found !== null) seqs.push(pending.found.seq);
  if (pending?.kind === 'write') {
    seqs.push(pending.base);
    if (typeof pending.storedAs === 'number') seqs.push(pending.storedAs);
  }
  if (flying !== null) seqs.push(flying.base);
  return seqs;
}

/** Of registers without marks. */
const texts = new WeakMap<Register, string>();

/** Renames numbers of which only the order matters, or whether they are the same. */
class Ranks {
  #known: number[] = [];

  see(...numbers: number[]): void {
    this.#known = [...new Set(numbers)].sort((a, b) => a - b);
  }

  of(number: number): number {
    if (number === 0) return 0;
    let at = this.#known.indexOf(number);
    if (at < 0) at = this.#known.push(number) - 1;
    return at + 1;
  }
}

/** The first state found in which more than `limit` orders have started within a window; null when there is none. */
export function search(
  first: ModelState,
  rules: ModelRules,
  limit: (state: ModelState) => number,
  statesMax: number,
): {
  readonly states: number;
  readonly broken: readonly string[] | null;
  readonly isWhole: boolean;
} {
  const seen = new Map<string, string | null>([[keyOf(first, rules), null]]);
  let front: [string, ModelState][] = [[keyOf(first, rules), first]];
  while (front.length > 0) {
    const next: [string, ModelState][] = [];
    for (const [from, state] of front) {
      for (const successor of successors(state, rules)) {
        const key = keyOf(successor, rules);
        if (seen.has(key)) continue;
        seen.set(key, from);
        if (startedInWindow(successor) > limit(successor)) {
          return { states: seen.size, broken: pathTo(key, seen), isWhole: false };
        }
        next.push([key, successor]);
      }
      if (seen.size > statesMax) return { states: seen.size, broken: null, isWhole: false };
    }
    front = next;
  }
  return { states: seen.size, broken: null, isWhole: true };
}

function pathTo(key: string, seen: ReadonlyMap<string, string | null>): string[] {
  const path: string[] = [];
  for (let at: string | null = key; at !== null; at = seen.get(at) ?? null) path.unshift(at);
  return path;
}
