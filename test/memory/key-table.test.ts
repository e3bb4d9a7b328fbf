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
  state: 'pending' | 'durable' | 'unknown';
  frameId: string;
  position: number;
  digest: number;
  expiryNs: number;
}

/** The same table as a plain Map, without shared memory or threads. */
class Model {
  readonly records = new Map<number, ModelRecord>();
  readonly #keysMax: number;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  reserve(key: number, digest: number, nowNs: number): Reservation {
    const record = this.#alive(key, nowNs);
    if (record === undefined) {
      if (this.records.size >= this.#keysMax) return RESERVATION.full;
      const expiryNs = nowNs + PENDING_NS + LIFE_NS;
      this.records.set(key, { state: 'pending', frameId: '', position: 0, digest, expiryNs });
      return RESERVATION.acquired;
    }
    if (record.state === 'durable') {
      return record.digest === digest ? RESERVATION.replay : RESERVATION.conflict;
    }
    const isOverdue = record.expiryNs - LIFE_NS <= nowNs;
    return record.state === 'pending' && !isOverdue ? RESERVATION.pending : RESERVATION.unknown;
  }

  setPlace(key: number, frameId: string, position: number): void {
    const record = this.records.get(key);
    if (record?.state === 'pending' && record.frameId === '')
      Object.assign(record, { frameId, position });
  }

  movePlace(key: number, frameId: string, from: number, to: number): void {
    const record = this.records.get(key);
    if (record === undefined || record.state === 'durable') return;
    if (record.frameId !== frameId || record.position !== from) return;
    Object.assign(record, { state: 'pending', position: to });
  }

  cancel(key: number): void {
    const record = this.records.get(key);
    if (record?.state === 'pending' && record.frameId === '') this.records.delete(key);
  }

  settle(key: number, frameId: string, position: number, outcome: string, nowNs: number): void {
    const record = this.records.get(key);
    if (record === undefined || record.state === 'durable') return;
    if (record.frameId !== frameId || record.position !== position) return;
    if (outcome === 'released') {
      this.records.delete(key);
      return;
    }
    this.records.delete(key);
    const state = outcome as 'durable' | 'unknown';
    this.records.set(key, { ...record, state, expiryNs: nowNs + LIFE_NS });
  }

  restore(key: number, record: ModelRecord): boolean {
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

  /** Like the table: removes expired records, oldest first, up to the first that has not expired. */
  reap(nowNs: number): void {
    for (const [key, { expiryNs }] of this.records) {
      if (expiryNs > nowNs) return;
      this.records.delete(key);
    }
  }
}

/** Few distinct values in the words that select stripe and bucket, so that chains get long. */
function wordsOf(key: number, digest: number): Int32Array {
  return Int32Array.of(key % 2, key % 3, key, -key, digest, ~digest);
}

test(`behaves like a Map for random operations (FOREBAY_SEED=${seed})`, () => {
  const random = randomFrom(seed);
  for (let run = 0; run < 60; run++) {
    const keysMax = 1 + random(12);
    const table = new KeyTable(createKeyMemory(keysMax, LIFE_NS, PENDING_NS));
    const model = new Model(keysMax);
    const ids = new FrameIds();
    const frames = [ids.next(1), ids.next(2)];
    let nowNs = 1;
    for (let i = 0; i < 2000; i++) {
      // Remove all expired records from both, because the table removes only a few per call.
      table.size(nowNs);
      model.reap(nowNs);
      const key = 1 + random(16);
      const digest = random(2);
      const words = wordsOf(key, digest);
      const frameId = frames[random(2)];
      const position = random(2);
      switch (random(10)) {
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
          if (expected < RESERVATION.replay || expected === RESERVATION.full) break;
          const record = model.records.get(key)!;
          assert.equal(table.foundFrameId, record.frameId);
          assert.equal(table.foundPosition, record.position);
          break;
        }
        case 4:
          table.setPlace(words, frameId, position);
          model.setPlace(key, frameId, position);
          break;
        case 5:
          table.cancel(words);
          model.cancel(key);
          break;
        case 6:
          table.confirm(words, frameId, position, nowNs);
          model.settle(key, frameId, position, 'durable', nowNs);
          break;
        case 7:
          table.markUnknown(words, frameId, position, nowNs);
          model.settle(key, frameId, position, 'unknown', nowNs);
          break;
        case 8:
          table.movePlace(words, frameId, position, 1 - position);
          model.movePlace(key, frameId, position, 1 - position);
          break;
        default: {
          if (random(4) > 0) {
            table.release(words, frameId, position);
            model.settle(key, frameId, position, 'released', nowNs);
            break;
          }
          const expiryNs = nowNs + LIFE_NS;
          const record: ModelRecord = { state: 'durable', frameId, position, digest, expiryNs };
          const fits = table.restore(words, frameId, position, nowNs, expiryNs);
          assert.equal(fits, model.restore(key, record));
        }
      }
      model.reap(nowNs);
      assert.equal(table.size(nowNs), model.records.size, `run ${run}, step ${i}`);
    }
  }
});

test('every call acquires the lock once and releases it', () => {
  const memory = createKeyMemory(2, LIFE_NS, PENDING_NS);
  const cells = new LockCells(memory);
  let locked = 0;
  let calls = 0;
  const counting: LockOperations = {
    compareSwap: (cell, seen, next) => {
      locked++;
      calls++;
      return cells.compareSwap(cell, seen, next);
    },
    swap: (cell, next) => {
      locked--;
      return cells.swap(cell, next);
    },
    sleep: () => assert.fail('the lock is not contended'),
    wake: () => {},
    nowMs: () => 0,
  };
  const table = new KeyTable(memory, counting);
  const frameId = new FrameIds().next(1);
  const key = wordsOf(1, 1);
  const uses = [
    () => table.reserve(key, 1),
    () => table.reserve(key, 1),
    () => table.setPlace(key, frameId, 1),
    () => table.movePlace(key, frameId, 1, 0),
    () => table.cancel(key),
    () => table.markUnknown(key, frameId, 0, 1),
    () => table.confirm(key, frameId, 0, 1),
    () => table.release(key, frameId, 0),
    () => table.restore(wordsOf(2, 1), frameId, 0, 1, 2),
    () => table.reserve(wordsOf(3, 1), 1),
    () => table.size(5000),
  ];
  for (const [i, use] of uses.entries()) {
    use();
    assert.deepEqual([locked, calls], [0, i + 1]);
  }
});

test('holds exactly the configured number of keys in one stripe', () => {
  const table = new KeyTable(createKeyMemory(1000, LIFE_NS, PENDING_NS));
  const found = Array.from({ length: 1001 }, (_, i) => table.reserve(wordsOf(i + 1, 0), 1));
  assert.deepEqual(new Set(found.slice(0, 1000)), new Set([RESERVATION.acquired]));
  assert.equal(found[1000], RESERVATION.full);
  assert.equal(table.reserve(wordsOf(2000, 0), 2 * LIFE_NS), RESERVATION.acquired);
});

test('keys that are cancelled do not use up the table', () => {
  const table = new KeyTable(createKeyMemory(2, LIFE_NS, PENDING_NS));
  assert.equal(table.reserve(wordsOf(1, 0), 1), RESERVATION.acquired);
  for (let i = 2; i < 5000; i++) {
    assert.equal(table.reserve(wordsOf(i, 0), 1), RESERVATION.acquired);
    table.cancel(wordsOf(i, 0));
  }
  assert.equal(table.size(1), 1);
});

test('many keys are spread over stripes and take 64 bytes each, plus up to 8 for the index', () => {
  for (const keysMax of [1000, 8191, 8192, 2_000_000]) {
    const memory = createKeyMemory(keysMax, LIFE_NS, PENDING_NS);
    const { stripes, slots } = shapeOf(memory);
    assert.equal(stripes > 1, keysMax >= 8192);
    assert.ok(stripes * slots >= keysMax);
    assert.ok(memory.byteLength <= 72 * (keysMax + stripes) + 512 * (stripes + 1));
  }
});
