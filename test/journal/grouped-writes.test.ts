import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GROUP_BYTES_MAX, GroupedWrites } from '../../src/journal/store/grouped-writes.js';
import { LocalStore } from '../../src/journal/store/local-store.js';

/** Records how many rows each of its transactions put. */
class WatchedStore extends LocalStore {
  readonly transactions: number[] = [];

  override write(writes: () => void): Promise<void> {
    return super.write(() => {
      this.transactions.push(0);
      writes();
    });
  }

  put(key: string): void {
    this.transactions[this.transactions.length - 1]!++;
    this.meta.put(Buffer.from(key), Buffer.from(key));
  }
}

function watched(t: TestContext): WatchedStore {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-grouped-'));
  const store = new WatchedStore(folder);
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return store;
}

async function rowsATransaction(t: TestContext, bytesOfEach: number[]): Promise<number[]> {
  const store = watched(t);
  const writes = new GroupedWrites(store);
  const all = [0, ...bytesOfEach].map((bytes, i) => writes.write(() => store.put(`${i}`), bytes));
  await Promise.all(all);
  const [first, ...others] = store.transactions;
  assert.equal(first, 1);
  return others;
}

test('writes that are gathered during a transaction share the next', async (t) => {
  assert.deepEqual(await rowsATransaction(t, Array(100).fill(0)), [100]);
});

test('a group is no larger than the spare pages', async (t) => {
  const half = GROUP_BYTES_MAX / 2;
  assert.deepEqual(await rowsATransaction(t, Array(7).fill(half)), [2, 2, 2, 1]);
  assert.deepEqual(await rowsATransaction(t, [0, 3 * half, 0, half, half, 0]), [2, 3, 1]);
});
