import assert from 'node:assert/strict';

/** Runs `operation` as one step, once `mayGo` allows it. `mayGo` reads only state that operations change. */
export type Step = <T>(operation: () => T, mayGo?: () => boolean) => T;

/**
 * A model checker: runs the production code in every interleaving of a few threads, one step at a time. As in
 * test/limit/explore.ts, a thread cannot be suspended, so its program runs again for each step and gets the results of
 * its earlier steps. In addition, a step here can block, and can have several outcomes.
 *
 * Depth-first over distinct states. Throws at the first state that violates an assertion, and at a deadlock.
 */
export interface Threads {
  /** Shared memory that operations change. */
  readonly memory: Int32Array;
  /** State of the test; only operations may change it. */
  notes: Readonly<Record<string, unknown>>;
  /** One program per thread. Every value of each choice is explored. */
  readonly programs: readonly ((step: Step, choose: (choices: number) => number) => void)[];
  /** Called when every thread has finished. */
  readonly atEnd: () => void;
}

interface State {
  readonly memory: readonly number[];
  readonly notes: string;
  readonly logs: readonly (readonly unknown[])[];
  readonly over: readonly boolean[];
}

const LOG_MAX = 200;
const PAUSE = Symbol('one step has run');
const BLOCKED = Symbol('the next step is blocked');

/** @returns the number of distinct states */
export function exploreSchedules(threads: Threads): number {
  const seen = new Set<string>();
  const initial: State = {
    memory: Array.from(threads.memory),
    notes: JSON.stringify(threads.notes),
    logs: threads.programs.map(() => []),
    over: threads.programs.map(() => false),
  };
  const open = [initial];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const next = state.over.flatMap((isOver, thread) =>
      isOver ? [] : successors(threads, state!, thread),
    );
    if (state.over.every(Boolean)) {
      restore(threads, state);
      threads.atEnd();
    } else {
      assert.ok(next.length > 0, `deadlock: ${JSON.stringify(state)}`);
    }
    for (const successor of next) {
      const key = JSON.stringify(successor);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(successor);
    }
  }
  return seen.size;
}

/** Empty if the thread's next step is blocked. */
function successors(threads: Threads, state: State, thread: number): State[] {
  const outcomes = [advance(threads, state, thread, 0)];
  const choices = outcomes[0].choices;
  for (let choice = 1; choice < choices; choice++) {
    outcomes.push(advance(threads, state, thread, choice));
  }
  return outcomes.flatMap(({ after }) => (after === null ? [] : [after]));
}

function advance(threads: Threads, state: State, thread: number, choice: number) {
  restore(threads, state);
  const log = [...state.logs[thread]];
  const replayed = log.length;
  assert.ok(replayed < LOG_MAX, 'a thread does not end');
  let at = 0;
  let choices = 1;
  const next = <T>(operation: () => T, mayGo: () => boolean): T => {
    if (at < replayed) return log[at++] as T;
    if (log.length > replayed) throw PAUSE;
    if (!mayGo()) throw BLOCKED;
    const result = operation();
    log.push(result);
    at++;
    return result;
  };
  const step: Step = (operation, mayGo = () => true) => next(operation, mayGo);
  const choose = (of: number) =>
    next(
      () => {
        choices = of;
        return choice;
      },
      () => true,
    );
  let isOver = false;
  try {
    threads.programs[thread](step, choose);
    isOver = true;
  } catch (error) {
    if (error === BLOCKED) return { choices: 1, after: null };
    if (error !== PAUSE) throw error;
  }
  const after: State = {
    memory: Array.from(threads.memory),
    notes: JSON.stringify(threads.notes),
    logs: state.logs.with(thread, log),
    over: state.over.with(thread, isOver),
  };
  return { choices, after };
}

function restore(threads: Threads, state: State): void {
  threads.memory.set(state.memory);
  threads.notes = JSON.parse(state.notes);
}
