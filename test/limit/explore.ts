import assert from 'node:assert/strict';

/**
 * A model checker: runs the production code in every interleaving of a few threads, one atomic operation per step.
 *
 * A thread's call is synchronous code, so it cannot be suspended between two operations. Instead it runs again for each
 * step: it gets the results of its earlier operations from a log, runs the next operation on the real shared memory, and
 * the operation after that throws. The code is deterministic for given results, so it reaches the same point.
 *
 * The search is depth-first over distinct states. Atomics are sequentially consistent, so all behaviours of real threads
 * are covered, within the bounds on calls and on clock moves.
 */
/** State that an object keeps between its calls. */
export type Local = readonly number[];

export interface Call {
  /** State of the object before the current call. */
  readonly local: Local;
  /** Results of the operations in the current call. */
  readonly log: readonly unknown[];
  readonly callsLeft: number;
  readonly next: Kind;
  /** State of the model for the current call. */
  readonly note: number;
}

export interface State {
  readonly cells: readonly number[];
  readonly timeNs: number;
  readonly clockMovesLeft: number;
  /** State of the model for all calls. */
  readonly history: readonly number[];
  readonly threads: readonly Call[];
}

/** A thread's next operation. The clock moves only right before a thread reads it. */
export type Kind = 'memory' | 'clock';

/**
 * Runs one operation, or replays it. `restart` marks a point where the call depends only on the `local` that `restart`
 * returns, so that a new call with this `local` behaves the same. Then the log up to here is dropped, which keeps the
 * number of states small and finite.
 */
export type Step = <T>(kind: Kind, operation: () => T, restart?: (() => Local) | null) => T;

/** State that the operations of a model can read and change in the current step. */
export interface Moment {
  timeNs: number;
  history: readonly number[];
  note: number;
}

export interface Model {
  readonly firstLocal: Local;
  /** A view of the whole shared memory. */
  readonly cells: Float64Array;
  /** Possible moves of the clock. */
  readonly clockMovesNs: readonly number[];
  /** The first operation of every call. */
  readonly firstStep: Kind;
  /** Makes one call as `thread`, with each operation through `step`; returns the new `local`. */
  call(thread: number, local: Local, step: Step, moment: Moment): Local;
  /** Called when all calls have ended; throws if the state is wrong. */
  atRest(state: State): void;
}

const STEPS_MAX = 60;
const PAUSE = Symbol('one operation has run');

export interface Explored {
  states: number;
  steps: number;
  /** States in which all calls have ended. */
  ends: number;
}

/** Explores all interleavings. Throws at the first state that violates the model, and at a schedule that does not end. */
export function explore(model: Model, initial: State): Explored {
  const explored = { states: 0, steps: 0, ends: 0 };
  const finished = new Map<string, boolean>();
  const visit = (state: State): void => {
    const key = keyOf(state);
    const known = finished.get(key);
    assert.notEqual(known, false, 'a schedule does not end');
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

/** The state after one more operation of a thread, and its code up to the next operation. */
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
    assert.ok(log.length < STEPS_MAX, 'a call does not end');
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

/** The initial state: all threads before their first call. */
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
