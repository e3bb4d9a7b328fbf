import { firstRegister, type Register } from '../../../src/journal/control/register.js';
import { allowedSlots, withSetting } from '../../../src/journal/control/share-plan.js';
import {
  afterRead,
  isUsable,
  type KnownRegister,
  type LeaseTiming,
  nextRegister,
  noShare,
  type ShareState,
} from '../../../src/journal/control/share-state.js';
import type { DrainSetting } from '../../../src/model/drain-control.js';

/**
 * A model of processes that share one drain rate, for a search through all its states. Time passes in ticks; two starts fall
 * into one window if they are in the same tick or in neighbouring ones. A process that takes no step is frozen or dead.
 */

/** Ticks. A clock can gain or lose one. */
export const MODEL_TIMING: LeaseTiming = {
  validMs: 2,
  windowMs: 3,
  takeMs: 4,
  goneMs: 3,
  turnMs: Number.POSITIVE_INFINITY,
};

/** A request that is under way; the answer of a read is what the register was when it was sent, the latest possible time. */
export type Pending =
  | { readonly kind: 'read'; readonly found: KnownRegister | null; readonly sentMs: number }
  | {
      readonly kind: 'write';
      readonly next: Register;
      readonly base: number;
      readonly sentMs: number;
      /** Null until the server has seen it. */
      readonly storedAs: number | 'conflict' | null;
    };

/** A write that its process has given up; the server may see it later. */
export interface Flying {
  readonly next: Register;
  readonly base: number;
}

export interface ModelRun {
  readonly state: ShareState;
  readonly pending: Pending | null;
  readonly flying: Flying | null;
  readonly need: number;
  /** Granted, and not started. */
  readonly held: number;
  /** Started in this tick, and in the one before. */
  readonly started: readonly [number, number];
  /** Of them, since it was started itself. */
  readonly own: readonly [number, number];
}

export interface ModelState {
  readonly register: Register;
  readonly seq: number;
  readonly runs: readonly ModelRun[];
  /** How many more faults and changes may happen. */
  readonly budget: Budget;
}

export interface Budget {
  readonly needs: number;
  readonly rates: number;
  readonly drifts: number;
  readonly suspicions: number;
  /** Answers that are late or lost. */
  readonly losses: number;
  /** Orders that wait between their grant and their start. */
  readonly holds: number;
  /** Processes that are killed and started again at once. */
  readonly kills: number;
}

export interface ModelRules {
  readonly timing: LeaseTiming;
  /** What a process reports as in use: a mutation of the protocol reports less. */
  readonly inUse: (run: ModelRun) => number;
  readonly rates: readonly number[];
}

export const MODEL_RULES: ModelRules = {
  timing: MODEL_TIMING,
  inUse: ({ held, own }) => held + own[0] + own[1],
  rates: [2],
};

function settingOf(rate: number): DrainSetting {
  return { rate, followsSchedule: false, pause: null, by: '', atMs: 0 };
}

/** No process has a share yet; each wants all. */
export function firstState(
  runs: number,
  rate: number,
  needs: number[],
  budget: Budget,
): ModelState {
  const register = { ...firstRegister('e', settingOf(rate), false), shares: new Map() };
  return {
    register,
    seq: 1,
    runs: Array.from({ length: runs }, (_, i) => ({
      state: noShare(String(i), -100),
      pending: null,
      flying: null,
      need: needs[i]!,
      held: 0,
      started: [0, 0],
      own: [0, 0],
    })),
    budget,
  };
}

/** Orders started within the last window, by all processes. */
export function startedInWindow({ runs }: ModelState): number {
  return runs.reduce((sum, { started }) => sum + started[0] + started[1], 0);
}

function withRun(state: ModelState, i: number, change: Partial<ModelRun>): ModelState {
  const runs = [...state.runs];
  runs[i] = { ...runs[i]!, ...change };
  return { ...state, runs };
}

function spend(state: ModelState, what: keyof Budget): ModelState | null {
  const left = state.budget[what];
  return left === 0 ? null : { ...state, budget: { ...state.budget, [what]: left - 1 } };
}

/** Every state that can follow. */
export function* successors(state: ModelState, rules: ModelRules): Generator<ModelState> {
  yield tick(state);
  for (const run of [0, 1, 2].slice(0, state.runs.length)) {
    yield* starts(state, run);
    yield* requests(state, run, rules);
    yield* surprises(state, run, rules);
  }
}

function tick(state: ModelState): ModelState {
  const runs = state.runs.map((run) => ({
    ...run,
    started: [0, run.started[0]] as const,
    own: [0, run.own[0]] as const,
    state: aged(run.state, 1),
    pending: run.pending === null ? null : { ...run.pending, sentMs: run.pending.sentMs - 1 },
  }));
  return { ...state, runs };
}

/** All times are relative to now. */
function aged(state: ShareState, ms: number): ShareState {
  const ended = new Map(
    [...state.ended].map(([run, end]) => [run, { ...end, sinceMs: end.sinceMs - ms }]),
  );
  return {
    ...state,
    ended,
    startedMs: state.startedMs - ms,
    validUntilMs: state.validUntilMs - ms,
    quietUntilMs: state.quietUntilMs - ms,
  };
}

/** It starts what it may, now or later; or it finds that it is too late for that. */
function* starts(state: ModelState, i: number): Generator<ModelState> {
  const run = state.runs[i]!;
  const { held, own } = run;
  const free = (isUsable(run.state, 0) ? share(run.state) : 0) - held - own[0] - own[1];
  if (free > 0 && run.need > 0) {
    yield withRun(state, i, startedMore(run, free));
    const kept = spend(state, 'holds');
    if (kept !== null) yield withRun(kept, i, { held: held + free });
  }
  if (held === 0) return;
  if (run.state.validUntilMs > 0) {
    yield withRun(state, i, { held: 0, ...startedMore(run, held) });
  } else yield withRun(state, i, { held: 0 });
}

function startedMore({ started, own }: ModelRun, orders: number): Partial<ModelRun> {
  return { started: [started[0] + orders, started[1]], own: [own[0] + orders, own[1]] };
}

/** A request that is answered at once, or one whose answer is late or lost. */
function* requests(state: ModelState, i: number, rules: ModelRules): Generator<ModelState> {
  const run = state.runs[i]!;
  if (run.flying !== null) yield land(withRun(state, i, { flying: null }), run.flying);
  if (run.pending !== null) {
    yield* continued(state, i, run.pending, rules);
    return;
  }
  const read = withRun(state, i, {
    pending: { kind: 'read', found: { register: state.register, seq: state.seq }, sentMs: 0 },
  });
  const sent = [read, sendWrite(state, i, rules, null)];
  for (const next of sent) {
    if (next === null) continue;
    yield atOnce(next, i, rules);
    const late = run.flying === null ? spend(next, 'losses') : null;
    if (late !== null) yield late;
  }
}

function atOnce(state: ModelState, i: number, rules: ModelRules): ModelState {
  return deliver(seen(state, i), i, rules);
}

/** The server has processed the request. */
function seen(state: ModelState, i: number): ModelState {
  const { pending } = state.runs[i]!;
  if (pending?.kind !== 'write' || pending.storedAs !== null) return state;
  const landed = land(state, pending);
  const storedAs = landed === state ? ('conflict' as const) : landed.seq;
  return withRun(landed, i, { pending: { ...pending, storedAs } });
}

function* continued(
  state: ModelState,
  i: number,
  pending: Pending,
  rules: ModelRules,
): Generator<ModelState> {
  if (pending.kind === 'write' && pending.storedAs === null) {
    yield seen(state, i);
    const { next, base } = pending;
    yield withRun(state, i, { pending: null, flying: { next, base } });
    return;
  }
  yield deliver(state, i, rules);
  yield withRun(state, i, { pending: null });
}

function land(state: ModelState, { next, base }: Flying): ModelState {
  if (base !== state.seq) return state;
  // The number of its message is its `rev` here.
  return { ...state, register: next, seq: next.rev };
}

function deliver(state: ModelState, i: number, { timing }: ModelRules): ModelState {
  const run = state.runs[i]!;
  const pending = run.pending!;
  if (pending.kind === 'read') {
    const next = afterRead(run.state, pending.found, pending.sentMs, 0, timing);
    return withRun(state, i, { state: next, pending: null });
  }
  if (pending.storedAs === 'conflict') return withRun(state, i, { pending: null });
  const seq = pending.storedAs!;
  const stored = { register: pending.next, seq };
  const next = afterRead(run.state, stored, pending.sentMs, 0, timing);
  return withRun(state, i, { state: next, pending: null });
}

function sendWrite(
  state: ModelState,
  i: number,
  rules: ModelRules,
  unheard: string | null,
): ModelState | null {
  const run = state.runs[i]!;
  const next = planned(run, rules, unheard);
  if (next === null) return null;
  const base = run.state.known!.seq;
  return withRun(state, i, {
    pending: { kind: 'write', next, base, sentMs: 0, storedAs: null },
  });
}

/** What follows from a version of the register and the rest: computed once, because most states come up again and again. */
const plans = new WeakMap<Register, Map<string, Register | null>>();

function planned(run: ModelRun, rules: ModelRules, unheard: string | null): Register | null {
  const { state, need } = run;
  const { known, ended, quietUntilMs, id } = state;
  if (known === null) return null;
  const inUse = rules.inUse(run);
  const key = [
    ...[id, need, inUse, unheard, quietUntilMs > 0],
    ...[...ended].map(([other, { sinceMs }]) => `${other}${sinceMs}`),
  ].join(' ');
  const byKey = plans.get(known.register) ?? new Map<string, Register | null>();
  plans.set(known.register, byKey);
  let next = byKey.get(key);
  if (next === undefined) {
    const isHeard = (other: string) => other !== unheard;
    const facts = { host: '', pid: 0, need, inUse, isHeard };
    next = nextRegister(state, facts, rules.timing, 0);
    byKey.set(key, next);
  }
  return next;
}

const shares = new WeakMap<Register, Map<string, number>>();

/** `shareOf`, computed once for each version. */
function share({ id, known }: ShareState): number {
  if (known === null) return 0;
  const byId = shares.get(known.register) ?? new Map<string, number>();
  shares.set(known.register, byId);
  const slots = byId.get(id) ?? allowedSlots(known.register, id);
  byId.set(id, slots);
  return slots;
}

/** What nobody expects: work comes or goes, a live process is called dead, a clock is fast or slow, the rate changes. */
function* surprises(state: ModelState, i: number, rules: ModelRules): Generator<ModelState> {
  const run = state.runs[i]!;
  const changed = spend(state, 'needs');
  if (changed !== null) yield withRun(changed, i, { need: run.need === 0 ? 2 : 0 });
  const drifted = spend(state, 'drifts');
  if (drifted !== null) {
    yield withRun(drifted, i, { state: aged(run.state, 1) });
    yield withRun(drifted, i, { state: aged(run.state, -1) });
  }
  const killed = run.flying === null ? spend(state, 'kills') : null;
  if (killed !== null) {
    yield withRun(killed, i, {
      pending: null,
      held: 0,
      own: [0, 0],
      state: noShare(run.state.id, 0),
    });
  }
  if (run.pending !== null || run.state.known === null) return;
  const suspected = spend(state, 'suspicions');
  for (const other of state.runs) {
    if (suspected === null || other === run) continue;
    const sent = sendWrite(suspected, i, rules, other.state.id);
    if (sent !== null) yield atOnce(sent, i, rules);
  }
  const rated = spend(state, 'rates');
  if (rated === null) return;
  for (const rate of rules.rates) {
    const { register, seq } = run.state.known;
    if (register.setting.rate === rate) continue;
    const next = withSetting(register, settingOf(rate));
    const sent = withRun(rated, i, {
      pending: { kind: 'write', next, base: seq, sentMs: 0, storedAs: null },
    });
    yield atOnce(sent, i, rules);
  }
}
