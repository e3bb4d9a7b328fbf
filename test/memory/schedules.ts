import assert from 'node:assert/strict';

/** Carries out `operation` alone; not before `mayGo`, which looks at what operations change. */
export type Step = <T>(operation: () => T, mayGo?: () => boolean) => T;

/**
 * Every schedule of a few threads, one step at a time, running the production code. As in test/limit/explore.ts a
 * thread cannot be halted, so its program runs again for each step with the results of the earlier ones
 * handed to it. Other than there, a step may have to wait for its turn, and may have several outcomes.
 *
 * Depth-first over distinct states; throws at the first that breaks a rule, and at one where threads are left that all
 * wait for each other.
 */
export interface Threads {
  /** All that operations change beside `notes`. */
  readonly memory: Int32Array;
  /** What the test has to remember; only operations may change it. */
  notes: Readonly<Record<string, unknown>>;
  /** A thread's whole life. Each choice is made one way and the other. */
  readonly programs: readonly ((step: Step, choose: (choices: number) => number) => void)[];
  /** Looked at when every thread is through. */
  readonly atEnd: () => void;
}

interface State {
  readonly memory: readonly number[];
  readonly notes: string;
  readonly logs: readonly (readonly unknown[])[];
  readonly over: readonly boolean[];
}

const LOG_MAX = 200;
const PAUSE = Symbol('the next step is not due yet');
const WAITS = Symbol('the next step may not go yet');

/** @returns how many states there are */
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
      assert.ok(next.length > 0, `all wait for each other: ${JSON.stringify(state)}`);
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

/** Empty when the thread's next step may not go yet. */
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
  assert.ok(replayed < LOG_MAX, 'a thread goes on and on');
  let at = 0;
  let choices = 1;
  const next = <T>(operation: () => T, mayGo: () => boolean): T => {
    if (at < replayed) return log[at++] as T;
    if (log.length > replayed) throw PAUSE;
    if (!mayGo()) throw WAITS;
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
    if (error === WAITS) return { choices: 1, after: null };
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
