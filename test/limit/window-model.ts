import assert from 'node:assert/strict';
import { WindowLimiter } from '../../src/limit/window.js';
import { batchSizeOf, type WindowOperations, WindowRing } from '../../src/memory/window-ring.js';
import type { Kind, Local, Model, Moment, State, Step } from './explore.js';

/** A limiter whose state can be restored, so that a call can run again. */
class ResumedLimiter extends WindowLimiter {
  get at(): Local {
    return [this.position, this.belowNs];
  }

  resume([position, belowNs]: Local): void {
    this.moveTo(position!, belowNs!);
  }
}

/** The ring and the clock of one limiter. */
export interface Parts {
  readonly ring: WindowOperations;
  readonly clock: () => number;
}

/** Replaces parts by broken ones. Such variants are explored without restarts. */
export type Sabotage = (parts: Parts) => Parts;

const intact: Sabotage = (parts) => parts;

/** Position 0, with no number below it. */
const FIRST: Local = [0, Number.NEGATIVE_INFINITY];

const AT_REST_STEPS_MAX = 1000;

/**
 * The sliding window in the model checker, on real shared memory. `history` is the exact log: the times of the latest
 * `limit` admissions, in the order in which they took place. The note of a call is how many admissions were in the window
 * at its last clock reading.
 */
export class WindowModel implements Model {
  readonly firstLocal: Local;
  readonly cells: Float64Array;
  readonly clockMovesNs: readonly number[];
  readonly firstStep: Kind;
  readonly #memory: SharedArrayBuffer;
  readonly #ring: WindowRing;
  readonly #sabotage: Sabotage;
  readonly #sizes: readonly number[];

  /** @param sizes how many admissions each thread asks for at once */
  constructor(
    limit: number,
    windowNs: number,
    sabotage: Sabotage = intact,
    sizes: readonly number[] = [],
  ) {
    this.#sizes = sizes;
    this.#memory = WindowLimiter.memory(limit, windowNs / 1e6);
    this.#ring = new WindowRing(this.#memory);
    this.#sabotage = sabotage;
    this.firstStep = sabotage === intact ? 'memory' : 'clock';
    this.cells = new Float64Array(this.#memory);
    this.firstLocal = FIRST;
    this.clockMovesNs = [windowNs - 1, windowNs];
  }

  call(thread: number, local: Local, step: Step, moment: Moment): Local {
    const limiter = this.#limiter(step, moment);
    limiter.resume(local);
    const size = this.#sizes[thread] ?? 1;
    if (!limiter.tryAdmitBatch(size)) {
      assert.ok(
        moment.note + size > this.#ring.limit,
        'refused although the window had room when the clock was read',
      );
    }
    return limiter.at;
  }

  /** Without concurrent calls, the limiter must agree with the log, now and later. */
  atRest(state: State): void {
    for (const local of [FIRST, ...state.threads.map((thread) => thread.local)]) {
      this.cells.set(state.cells);
      const moment: Moment = { timeNs: state.timeNs, history: state.history, note: 0 };
      let steps = 0;
      const alone: Step = (_, operation) => {
        assert.ok(steps++ < AT_REST_STEPS_MAX, 'a call without concurrency does not end');
        return operation();
      };
      const limiter = this.#limiter(alone, moment);
      limiter.resume(local);
      this.#admitsWhatTheLogAllows(limiter, moment);
      moment.timeNs += Math.round(limiter.waitMs() * 1e6) - 1;
      assert.equal(limiter.tryAdmit(), false, 'admitted one nanosecond before the window has room');
      moment.timeNs += this.#ring.windowNs;
      this.#admitsWhatTheLogAllows(limiter, moment);
      moment.timeNs += this.#ring.windowNs;
      assert.equal(
        this.#admitsWhatTheLogAllows(limiter, moment),
        this.#ring.limit,
        'a slot is lost',
      );
    }
  }

  #admitsWhatTheLogAllows(limiter: WindowLimiter, moment: Moment): number {
    const room = this.#ring.limit - this.#inWindow(moment);
    for (let size = 1; size <= this.#ring.limit; size++) {
      const hasRoom = size <= room;
      assert.equal(
        limiter.waitMs(size) === 0,
        hasRoom,
        `a wait for ${size} although there is room for ${room}, or none`,
      );
      if (!hasRoom) assert.equal(limiter.tryAdmitBatch(size), false, 'a batch without room');
    }
    const batch = Math.ceil(room / 2);
    assert.ok(limiter.tryAdmitBatch(batch), 'a batch is refused although there is room');
    for (let i = batch; i < room; i++)
      assert.ok(limiter.tryAdmit(), 'refused although there is room');
    assert.ok(limiter.waitMs() > 0, 'no wait although the window is full');
    assert.equal(limiter.tryAdmit(), false, 'admitted although the window is full');
    return room;
  }

  #limiter(step: Step, moment: Moment): ResumedLimiter {
    const real = this.#ring;
    const forget = this.#sabotage === intact;
    const ring: WindowOperations = {
      limit: real.limit,
      windowNs: real.windowNs,
      head: () => step('memory', () => real.head()),
      // Each loop of the limiter starts here and depends only on `at`.
      slot: (index) => step('memory', () => real.slot(index), forget ? () => limiter.at : null),
      slotOfBatch: (index) => step('memory', () => real.slotOfBatch(index)),
      advanceHead: (to) => step('memory', () => real.advanceHead(to)),
      takeSlot: (index, seen, stamp) =>
        step('memory', () => {
          const taken = real.takeSlot(index, seen, stamp);
          if (taken && batchSizeOf(stamp) === 0) this.#record(moment, Math.abs(stamp));
          return taken;
        }),
    };
    const clock = () =>
      step('clock', () => {
        moment.note = this.#inWindow(moment);
        return moment.timeNs;
      });
    const parts = this.#sabotage({ ring, clock });
    const limiter = new ResumedLimiter(this.#memory, parts.clock, parts.ring);
    return limiter;
  }

  #record(moment: Moment, timeNs: number): void {
    const log = moment.history;
    assert.ok(
      log.every((earlier) => earlier <= timeNs),
      'admission times decreased',
    );
    if (log.length === this.#ring.limit) {
      assert.ok(timeNs - log[0] >= this.#ring.windowNs, 'one admission too many in a window');
    }
    moment.history = [...log, timeNs].slice(-this.#ring.limit);
  }

  #inWindow(moment: Moment): number {
    return moment.history.filter((timeNs) => moment.timeNs - timeNs < this.#ring.windowNs).length;
  }
}
