import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpsMeter } from '../../src/limit/meter.js';
import { type MeterOperations, MeterRing } from '../../src/memory/meter-ring.js';
import {
  beginning,
  explore,
  type Local,
  type Model,
  type Moment,
  type State,
  type Step,
} from './explore.js';

const BUCKET_NS = 100e6;
const SECOND_BUCKETS = 10;
const RING_BUCKETS = 16;
const COUNT_SPAN = 2 ** 21;
/** Note of a hit that has been counted. */
const COUNTED = -1;
/** Otherwise a note holds the epoch of the last clock reading and the exact rate at that time. */
const NOTE_SPAN = 1000;

/** Thread 0 reads the rate, the others count hits. `history` holds the epoch of each counted hit. */
class MeterModel implements Model {
  readonly firstLocal: Local = [];
  readonly cells: Float64Array;
  // To the next bucket, by a second, and by a whole turn of the ring.
  readonly clockMovesNs = [BUCKET_NS, SECOND_BUCKETS * BUCKET_NS, RING_BUCKETS * BUCKET_NS];
  readonly firstStep = 'clock';
  readonly #memory = RpsMeter.memory();
  readonly #sabotage: (ring: MeterOperations) => MeterOperations;

  constructor(sabotage: (ring: MeterOperations) => MeterOperations = (ring) => ring) {
    this.#sabotage = sabotage;
    this.cells = new Float64Array(this.#memory);
  }

  call(thread: number, local: Local, step: Step, moment: Moment): Local {
    const meter = this.#meter(step, moment);
    if (thread !== 0) {
      meter.hit();
      const turned = epochOf(moment.timeNs) - epochIn(moment.note) >= RING_BUCKETS;
      assert.ok(moment.note === COUNTED || turned, 'a hit is lost');
      return local;
    }
    const rate = meter.perSecond();
    const atMost = countedIn(moment.history, epochIn(moment.note));
    assert.ok(rate <= atMost, `a rate of ${rate}, where only ${atMost} hits were counted`);
    assert.ok(rate >= rateIn(moment.note), 'a hit is missing that was counted before');
    return local;
  }

  atRest(state: State): void {
    this.cells.set(state.cells);
    const moment: Moment = { timeNs: state.timeNs, history: state.history, note: 0 };
    const meter = this.#meter((_, operation) => operation(), moment);
    const last = Math.max(...state.history.map(epochOf), epochOf(state.timeNs));
    for (let epoch = epochOf(state.timeNs); epoch <= last + SECOND_BUCKETS + 1; epoch++) {
      moment.timeNs = epoch * BUCKET_NS;
      assert.equal(meter.perSecond(), countedIn(state.history, epoch));
    }
  }

  #meter(step: Step, moment: Moment): RpsMeter {
    const real = new MeterRing(this.#memory);
    const ring = this.#sabotage({
      bucket: (index) => step('memory', () => real.bucket(index)),
      swapBucket: (index, seen, next) => step('memory', () => real.swapBucket(index, seen, next)),
    });
    const swapBucket = (index: number, seen: number, next: number) => {
      const swapped = ring.swapBucket(index, seen, next);
      // Runs again when the call is replayed; the note prevents counting twice.
      if (swapped && moment.note !== COUNTED) {
        moment.history = [...moment.history, epochIn(moment.note) * BUCKET_NS];
        moment.note = COUNTED;
      }
      return swapped;
    };
    const clock = () =>
      step('clock', () => {
        moment.note = noteOf(epochOf(moment.timeNs), moment.history);
        return moment.timeNs;
      });
    return new RpsMeter(this.#memory, clock, { bucket: ring.bucket, swapBucket });
  }
}

for (const bounds of [
  { threads: 2, calls: 2, clockMoves: 2 },
  { threads: 3, calls: 1, clockMoves: 2 },
]) {
  const { threads, calls, clockMoves } = bounds;
  test(`every interleaving of a reader and ${threads - 1} counting threads, ${calls} calls each, ${clockMoves} clock moves`, (t) => {
    const { states, steps, ends } = run(bounds);
    assert.ok(ends > 0);
    t.diagnostic(`${states} distinct states, ${steps} steps, ${ends} of them at rest`);
  });
}

test('the explorer detects a new epoch that is published before its count is reset', () => {
  const epochFirst = (ring: MeterOperations): MeterOperations => ({
    ...ring,
    swapBucket: (index, seen, next) => {
      if (Math.floor(seen / COUNT_SPAN) === Math.floor(next / COUNT_SPAN)) {
        return ring.swapBucket(index, seen, next);
      }
      const epochAlone = next - (next % COUNT_SPAN) + (seen % COUNT_SPAN);
      if (!ring.swapBucket(index, seen, epochAlone)) return false;
      return ring.swapBucket(index, epochAlone, next);
    },
  });
  assert.throws(
    () => run({ threads: 2, calls: 2, clockMoves: 2 }, epochFirst),
    /a rate of 1, where only 0 hits were counted/,
  );
});

test('the explorer detects a hit that overwrites another', () => {
  const blind = (ring: MeterOperations): MeterOperations => ({
    ...ring,
    swapBucket: (index, _, next) => ring.swapBucket(index, ring.bucket(index), next),
  });
  assert.throws(
    () => run({ threads: 3, calls: 1, clockMoves: 0 }, blind),
    /Expected values to be strictly equal/,
  );
});

function run(
  bounds: { threads: number; calls: number; clockMoves: number },
  sabotage?: (ring: MeterOperations) => MeterOperations,
) {
  const model = new MeterModel(sabotage);
  return explore(model, beginning(model, bounds, BUCKET_NS));
}

function epochOf(timeNs: number): number {
  return Math.floor(timeNs / BUCKET_NS);
}

function noteOf(epoch: number, history: readonly number[]): number {
  return epoch * NOTE_SPAN + countedIn(history, epoch);
}

function epochIn(note: number): number {
  return Math.floor(note / NOTE_SPAN);
}

function rateIn(note: number): number {
  return note % NOTE_SPAN;
}

/** Number of hits in the second before `epoch`. */
function countedIn(hitTimesNs: readonly number[], epoch: number): number {
  return hitTimesNs.filter((timeNs) => {
    const hit = epochOf(timeNs);
    return hit < epoch && hit >= epoch - SECOND_BUCKETS;
  }).length;
}
