import assert from 'node:assert/strict';

/**
 * Every interleaving of a few threads, one atomic operation a step, running the production code.
 *
 * A thread's call is plain synchronous code, so it cannot be halted between two operations. Instead
 * it is run again for each step: the results of the operations it did before are handed to it from a
 * log, the next operation is carried out on the real shared memory, and the one after that is
 * refused by throwing. The code is deterministic given those results, so it comes to the same point.
 *
 * The search is depth-first over distinct states. Atomics are sequentially consistent, hence no
 * behaviour of real threads is left out, but for the bounds on calls and on clock moves.
 */
/** What a calling object remembers. */
export type Local = readonly number[];

export interface Call {
  /** What the calling object remembers between calls. */
  readonly local: Local;
  /** Results of the operations done in the present call. */
  readonly log: readonly unknown[];
  readonly callsLeft: number;
  readonly next: Kind;
  /** Whatever the model has to remember about the present call. */
  readonly note: number;
}

export interface State {
  readonly cells: readonly number[];
  readonly timeNs: number;
  readonly clockMovesLeft: number;
  /** Whatever the model has to remember about the past. */
  readonly history: readonly number[];
  readonly threads: readonly Call[];
}

/** What a thread does next. Moves of the clock matter only to those who are about to read it. */
export type Kind = 'memory' | 'clock';

/**
 * Carries out one operation, or replays it. With `restart`, the call carries nothing over this point
 * but the `local` that `restart` returns, so that calling afresh with it leads to the same: the log
 * before it can be forgotten, which keeps the number of states finite and small.
 */
export type Step = <T>(kind: Kind, operation: () => T, restart?: (() => Local) | null) => T;

/** What a model's operations see and may change, for the step under way. */
export interface Moment {
  timeNs: number;
  history: readonly number[];
  note: number;
}

export interface Model {
  readonly firstLocal: Local;
  /** A view of the whole shared memory that the operations work on. */
  readonly cells: Float64Array;
  /** How far the clock may jump in one move. */
  readonly clockMovesNs: readonly number[];
  /** What every call does first. */
  readonly firstStep: Kind;
  /** Makes one call as `thread`, doing each operation through `step`; returns the new `local`. */
  call(thread: number, local: Local, step: Step, moment: Moment): Local;
  /** Looked at when all calls are over; throws what is wrong. */
  atRest(state: State): void;
}

const STEPS_MAX = 60;
const PAUSE = Symbol('the next operation is not due yet');

export interface Explored {
  states: number;
  steps: number;
  /** States in which all calls are over. */
  ends: number;
}

/**
 * Explores everything that can follow; throws at the first state that breaks the model's rules, and
 * at a state that a schedule comes back to: that schedule would go on for ever.
 */
export function explore(model: Model, initial: State): Explored {
  const explored = { states: 0, steps: 0, ends: 0 };
  const finished = new Map<string, boolean>();
  const visit = (state: State): void => {
    const key = keyOf(state);
    const known = finished.get(key);
    assert.notEqual(known, false, 'a schedule without end');
    if (known) return;
    finished.set(key, false);
    explored.states += 1;
    if (state.threads.every(isOver)) {
      explored.ends += 1;
      model.atRest(state);
    }
    for (const next of successors(model, state)) {
      explored.steps += 1;
      visit(next);
    }
    finished.set(key, true);
  };
  visit(initial);
  return explored;
}

function* successors(model: Model, state: State): Generator<State> {
  for (const [index, thread] of state.threads.entries()) {
    if (isOver(thread)) continue;
    yield advance(model, state, index);
    if (thread.next !== 'clock' || state.clockMovesLeft === 0) continue;
    const clockMovesLeft = state.clockMovesLeft - 1;
    for (const ns of model.clockMovesNs) {
      yield advance(model, { ...state, timeNs: state.timeNs + ns, clockMovesLeft }, index);
    }
  }
}

/** The state after one more operation of a thread, and all it does alone up to its next one. */
function advance(model: Model, state: State, index: number): State {
  const thread = state.threads[index];
  model.cells.set(state.cells);
  const moment = { timeNs: state.timeNs, history: state.history, note: thread.note };
  let { local, log, next } = thread;
  let replayed = 0;
  let stepped = false;
  const step: Step = (kind, operation, restart = null) => {
    if (replayed < thread.log.length) return thread.log[replayed++] as ReturnType<typeof operation>;
    if (stepped) {
      next = kind;
      throw PAUSE;
    }
    stepped = true;
    assert.ok(log.length < STEPS_MAX, 'a call goes on and on');
    if (restart !== null) local = restart();
    const result = operation();
    log = restart === null ? [...log, result] : [result];
    return result;
  };
  let after: Call;
  try {
    local = model.call(index, thread.local, step, moment);
    after = { local, log: [], callsLeft: thread.callsLeft - 1, note: 0, next: model.firstStep };
  } catch (error) {
    if (error !== PAUSE) throw error;
    after = { ...thread, local, log, note: moment.note, next };
  }
  return {
    ...state,
    cells: Array.from(model.cells),
    history: moment.history,
    threads: state.threads.with(index, after),
  };
}

function isOver(thread: Call): boolean {
  return thread.callsLeft === 0;
}

/** All threads at the start of their first call. */
export function beginning(
  model: Model,
  bounds: { readonly threads: number; readonly calls: number; readonly clockMoves: number },
  timeNs: number,
): State {
  const thread = {
    local: model.firstLocal,
    log: [],
    callsLeft: bounds.calls,
    note: 0,
    next: model.firstStep,
  };
  return {
    cells: Array.from(model.cells),
    timeNs,
    clockMovesLeft: bounds.clockMoves,
    history: [],
    threads: Array.from({ length: bounds.threads }, () => thread),
  };
}

function keyOf(state: State): string {
  const { cells, timeNs, clockMovesLeft, history, threads } = state;
  const calls = threads.map(
    ({ local, log, callsLeft, note }) => `${local},${callsLeft},${note},${log}`,
  );
  return `${timeNs} ${clockMovesLeft} ${history} ${cells} ${calls.join(' ')}`;
}
