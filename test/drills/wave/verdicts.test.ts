import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWaveOptions } from '../../../drills/wave/options.js';
import { judge, Tally } from '../../../drills/wave/verdicts.js';
import { defaultWave } from '../../../k6/lib/sine.js';
import { FrameIds } from '../../../src/commit/frame-id.js';
import { answers } from '../../../src/model/answers.js';

const direct = parseWaveOptions(['--mode', 'direct', '--limit', '50']);
const queue = parseWaveOptions(['--mode', 'queue', '--drain-rate', '60']);
const ids = new FrameIds();
const START_MS = 1_700_000_000_000;

function add(tally: Tally, answer: { status: number; body: string }, acceptedMs = START_MS): void {
  tally.offered++;
  tally.record({ ...answer, orderId: `${ids.next(acceptedMs)}-0` }, 1);
}

/** A direct run with this share of refusals in a thousand, its orders 20 ms apart. */
function directTally(refused: number): Tally {
  const tally = new Tally();
  for (let i = 0; i < 1000 - refused; i++) add(tally, answers.created, START_MS + i * 20);
  for (let i = 0; i < refused; i++) add(tally, answers.serverKaput);
  return tally;
}

function queueTally(created: number): Tally {
  const tally = new Tally();
  for (let i = 0; i < created; i++) add(tally, answers.created, START_MS + i);
  return tally;
}

const watched = { doneOrders: 100, pendingOrders: 0, settled: true, windows: 9 };

function failures(...args: Parameters<typeof judge>): string[] {
  return judge(...args)
    .filter(({ ok }) => !ok)
    .map(({ text }) => text.split(':')[0]!);
}

describe('verdicts of the wave', () => {
  it('pass a share of 500s within two points of the sine, and no other', () => {
    assert.deepEqual(direct.wave, defaultWave);
    assert.deepEqual(failures(direct, directTally(318), null), []);
    assert.deepEqual(failures(direct, directTally(337), null), []);
    assert.deepEqual(failures(direct, directTally(345), null), ['share of 500s']);
    assert.deepEqual(failures(direct, directTally(290), null), ['share of 500s']);
  });

  it('fail one 200 too many in a second, wherever the second begins', () => {
    for (const beginMs of [0, 250, 500, 750]) {
      const tally = directTally(318);
      add(tally, answers.created, START_MS + 3000 + beginMs);
      assert.deepEqual(failures(direct, tally, null), ['most 200s in a second']);
    }
  });

  it('fail a 503 in direct mode, and anything but 200 in queue mode', () => {
    const refused = directTally(318);
    add(refused, answers.busy);
    assert.deepEqual(failures(direct, refused, null), ['answers other than 200 and 500']);
    for (const answer of [answers.busy, answers.serverKaput, { status: 0, body: '' }]) {
      const tally = queueTally(99);
      add(tally, answer);
      assert.deepEqual(failures(queue, tally, null), ['answers other than 200']);
    }
  });

  it('fail a drain that outran its pace once', () => {
    const kept = { ...watched, doneInASecondMax: 60 };
    assert.deepEqual(failures(queue, queueTally(100), kept), []);
    const outrun = { ...watched, doneInASecondMax: 61 };
    assert.match(failures(queue, queueTally(100), outrun).join(), /^most processed in a second/);
  });

  it('fail a pace that nobody measured', () => {
    const unmeasured = { ...watched, doneInASecondMax: 0, windows: 0 };
    assert.equal(failures(queue, queueTally(100), unmeasured).length, 1);
  });

  it('fail orders lost, orders done twice, and a backlog that stays or cannot be read', () => {
    const kept = { ...watched, doneInASecondMax: 60 };
    assert.deepEqual(failures(queue, queueTally(101), kept), ['orders processed']);
    assert.deepEqual(failures(queue, queueTally(99), kept), ['orders processed']);
    for (const pendingOrders of [1, Number.NaN]) {
      const left = { ...kept, pendingOrders };
      assert.deepEqual(failures(queue, queueTally(100), left), ['orders that still wait']);
    }
  });

  it('fail requests that were due and not sent', () => {
    const tally = queueTally(100);
    tally.dropped++;
    assert.deepEqual(failures(queue, tally, null), ['requests that were due but not sent']);
  });
});

describe('latency of a tally', () => {
  it('is given by nearest rank', () => {
    const tally = new Tally();
    for (let ms = 1; ms <= 100; ms++) tally.record({ status: 0, body: '', orderId: '' }, ms);
    assert.deepEqual(tally.latenciesMs([0.5, 0.99, 1]), [50, 99, 100]);
    assert.deepEqual(new Tally().latenciesMs([0.5]), [0]);
  });
});
