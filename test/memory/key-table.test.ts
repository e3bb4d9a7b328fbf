import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameIds } from '../../src/commit/frame-id.js';
import { createKeyMemory, shapeOf } from '../../src/memory/key-layout.js';
import { LockCells, type LockOperations } from '../../src/memory/key-lock.js';
import { KeyTable, RESERVATION, type Reservation } from '../../src/memory/key-table.js';
import { randomFrom } from './random.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

const LIFE_NS = 1000;
const PENDING_NS = 50;

interface ModelRecord {
  state: 'pending' | 'kept' | 'doubtful';
  frameId: string;
  position: number;
  digest: number;
  expiryNs: number;
}

/** The table as one would write it without a thought for memory or threads. */
class Model {
  readonly records = new Map<number, ModelRecord>();
  readonly #keysMax: number;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  reserve(key: number, digest: number, nowNs: number): Reservation {
    const record = this.#alive(key, nowNs);
    if (record === undefined) {
      if (this.records.size >= this.#keysMax) return RESERVATION.noRoom;
      const expiryNs = nowNs + PENDING_NS + LIFE_NS;
      this.records.set(key, { state: 'pending', frameId: '', position: 0, digest, expiryNs });
      return RESERVATION.taken;
    }
    if (record.state === 'kept') {
      return record.digest === digest ? RESERVATION.kept : RESERVATION.reused;
    }
    const isOverdue = record.expiryNs - LIFE_NS <= nowNs;
    return record.state === 'pending' && !isOverdue ? RESERVATION.pending : RESERVATION.doubtful;
  }

  place(key: number, frameId: string, position: number): void {
    const record = this.records.get(key);
    if (record?.state === 'pending' && record.frameId === '')
      Object.assign(record, { frameId, position });
  }

  giveBack(key: number): void {
    const record = this.records.get(key);
    if (record?.state === 'pending' && record.frameId === '') this.records.delete(key);
  }

  settle(key: number, frameId: string, position: number, fate: string, nowNs: number): void {
    const record = this.records.get(key);
    if (record === undefined || record.state === 'kept') return;
    if (record.frameId !== frameId || record.position !== position) return;
    if (fate === 'free') {
      this.records.delete(key);
      return;
    }
    this.records.delete(key);
    const state = fate as 'kept' | 'doubtful';
    this.records.set(key, { ...record, state, expiryNs: nowNs + LIFE_NS });
  }

  remember(key: number, record: ModelRecord): boolean {
    this.records.delete(key);
    if (this.records.size >= this.#keysMax) return false;
    this.records.set(key, record);
    return true;
  }

  #alive(key: number, nowNs: number): ModelRecord | undefined {
    const record = this.records.get(key);
    if (record !== undefined && record.expiryNs <= nowNs) this.records.delete(key);
    return this.records.get(key);
  }

  /** As the table, oldest first up to one that has not expired: a pending one may hold up a few others. */
  reap(nowNs: number): void {
    for (const [key, { expiryNs }] of this.records) {
      if (expiryNs > nowNs) return;
      this.records.delete(key);
    }
  }
}

/** Few distinct hashes in the words that choose stripe and bucket, so that chains get long. */
function wordsOf(key: number, digest: number): Int32Array {
  return Int32Array.of(key % 2, key % 3, key, -key, digest, ~digest);
}

test(`does as a Map would, whatever comes (FOREBAY_SEED=${seed})`, () => {
  const random = randomFrom(seed);
  for (let run = 0; run < 60; run++) {
    const keysMax = 1 + random(12);
    const table = new KeyTable(createKeyMemory(keysMax, LIFE_NS, PENDING_NS));
    const model = new Model(keysMax);
    const ids = new FrameIds();
    const frames = [ids.next(1), ids.next(2)];
    let nowNs = 1;
    for (let i = 0; i < 2000; i++) {
      // Expired records are taken out a few at a time: after that, all that ever would be are gone.
      table.size(nowNs);
      model.reap(nowNs);
      const key = 1 + random(16);
      const digest = random(2);
      const words = wordsOf(key, digest);
      const frameId = frames[random(2)];
      const position = random(2);
      switch (random(9)) {
        case 0:
          nowNs += random(2 * PENDING_NS);
          break;
        case 1:
          if (random(10) === 0) nowNs += LIFE_NS;
          break;
        case 2:
        case 3: {
          const expected = model.reserve(key, digest, nowNs);
          assert.equal(table.reserve(words, nowNs), expected, `run ${run}, step ${i}`);
          if (expected < RESERVATION.kept || expected === RESERVATION.noRoom) break;
          const record = model.records.get(key)!;
          assert.equal(table.foundFrameId, record.frameId);
          assert.equal(table.foundPosition, record.position);
          break;
        }
        case 4:
          table.place(words, frameId, position);
          model.place(key, frameId, position);
          break;
        case 5:
          table.giveBack(words);
          model.giveBack(key);
          break;
        case 6:
          table.keep(words, frameId, position, nowNs);
          model.settle(key, frameId, position, 'kept', nowNs);
          break;
        case 7:
          table.doubt(words, frameId, position, nowNs);
          model.settle(key, frameId, position, 'doubtful', nowNs);
          break;
        default: {
          if (random(4) > 0) {
            table.free(words, frameId, position);
            model.settle(key, frameId, position, 'free', nowNs);
            break;
          }
          const expiryNs = nowNs + LIFE_NS;
          const record: ModelRecord = { state: 'kept', frameId, position, digest, expiryNs };
          const fits = table.remember(words, frameId, position, nowNs, expiryNs);
          assert.equal(fits, model.remember(key, record));
        }
      }
      model.reap(nowNs);
      assert.equal(table.size(nowNs), model.records.size, `run ${run}, step ${i}`);
    }
  }
});

test('every call takes the lock once and lets it go', () => {
  const memory = createKeyMemory(2, LIFE_NS, PENDING_NS);
  const cells = new LockCells(memory);
  let held = 0;
  let calls = 0;
  const counting: LockOperations = {
    compareSwap: (cell, seen, next) => {
      held++;
      calls++;
      return cells.compareSwap(cell, seen, next);
    },
    swap: (cell, next) => {
      held--;
      return cells.swap(cell, next);
    },
    sleep: () => assert.fail('nobody else has it'),
    wake: () => {},
    nowMs: () => 0,
  };
  const table = new KeyTable(memory, counting);
  const frameId = new FrameIds().next(1);
  const key = wordsOf(1, 1);
  const uses = [
    () => table.reserve(key, 1),
    () => table.reserve(key, 1),
    () => table.place(key, frameId, 0),
    () => table.giveBack(key),
    () => table.doubt(key, frameId, 0, 1),
    () => table.keep(key, frameId, 0, 1),
    () => table.free(key, frameId, 0),
    () => table.remember(wordsOf(2, 1), frameId, 0, 1, 2),
    () => table.reserve(wordsOf(3, 1), 1),
    () => table.size(5000),
  ];
  for (const [i, use] of uses.entries()) {
    use();
    assert.deepEqual([held, calls], [0, i + 1]);
  }
});

test('holds as many keys as were asked for, and no more, in one stripe', () => {
  const table = new KeyTable(createKeyMemory(1000, LIFE_NS, PENDING_NS));
  const found = Array.from({ length: 1001 }, (_, i) => table.reserve(wordsOf(i + 1, 0), 1));
  assert.deepEqual(new Set(found.slice(0, 1000)), new Set([RESERVATION.taken]));
  assert.equal(found[1000], RESERVATION.noRoom);
  assert.equal(table.reserve(wordsOf(2000, 0), 2 * LIFE_NS), RESERVATION.taken);
});

test('a key that is refused again and again takes no room', () => {
  const table = new KeyTable(createKeyMemory(2, LIFE_NS, PENDING_NS));
  assert.equal(table.reserve(wordsOf(1, 0), 1), RESERVATION.taken);
  for (let i = 2; i < 5000; i++) {
    assert.equal(table.reserve(wordsOf(i, 0), 1), RESERVATION.taken);
    table.giveBack(wordsOf(i, 0));
  }
  assert.equal(table.size(1), 1);
});

test('many keys are spread over stripes and take 64 bytes each, and up to 8 for finding them', () => {
  for (const keysMax of [1000, 8191, 8192, 2_000_000]) {
    const memory = createKeyMemory(keysMax, LIFE_NS, PENDING_NS);
    const { stripes, slots } = shapeOf(memory);
    assert.equal(stripes > 1, keysMax >= 8192);
    assert.ok(stripes * slots >= keysMax);
    assert.ok(memory.byteLength <= 72 * (keysMax + stripes) + 512 * (stripes + 1));
  }
});
