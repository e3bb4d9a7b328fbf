import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../../drills/ledger/random.js';
import { markSegmentsFull } from '../../src/journal/local/segment-files.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { orderId } from '../../src/model/frame.js';
import { NOTHING, newFrameId } from './frames.js';
import { linesUntilKilled } from './killed.js';

const KILLS = 6;
const LIVES_MAX = 10 * KILLS;
const ALIVE_MS_MAX = 800;
/** Reproduces the sequence of choices, not their timing. */
const SEED = Number(process.env.FOREBAY_SEED ?? Math.floor(Math.random() * 2 ** 32));

/** Order ids, by the last that was said about them. */
class Ledger {
  readonly committed = new Set<string>();
  readonly begun = new Set<string>();
  readonly settling = new Set<string>();
  readonly settled = new Set<string>();

  read(lines: readonly string[]): void {
    const sets: Record<string, Set<string>> = {
      commits: this.begun,
      committed: this.committed,
      settles: this.settling,
      settled: this.settled,
    };
    for (const line of lines) {
      const [what, ...ids] = line.split(' ');
      for (const id of ids) if (id !== '') sets[what!]?.add(id);
    }
  }

  /** @param delivered what a start after the last kill delivers */
  judge(delivered: readonly string[]): void {
    const seen = new Set(delivered);
    assert.equal(seen.size, delivered.length, 'an order is delivered twice');
    for (const id of this.settled) assert.ok(!seen.has(id), `${id} was settled, and is delivered`);
    for (const id of this.committed) {
      assert.ok(seen.has(id) || this.settling.has(id), `${id} is lost`);
    }
    for (const id of seen) assert.ok(this.begun.has(id), `${id} was never accepted`);
  }
}

test(`local: after kills at any moment, nothing is lost and nothing settled comes back, seed ${SEED}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-kills-'));
  const random = new Random(SEED);
  const ledger = new Ledger();
  try {
    await new LocalStore(folder).close();
    // On a machine that computes little they live longer, until some of them have settled an order.
    for (let life = 0; life < KILLS || ledger.settled.size === 0; life++) {
      assert.ok(life < LIVES_MAX, 'nothing is ever settled');
      const args = [folder, String(random.below(2 ** 31))];
      const aliveMs = random.below(ALIVE_MS_MAX) * Math.ceil((life + 1) / KILLS);
      ledger.read(await linesUntilKilled('log-process.js', args, aliveMs));
    }
    ledger.judge(await deliveredBy(folder, false));
    ledger.judge(await deliveredBy(folder, true));
    assert.deepEqual(await deliveredBy(folder, true), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function deliveredBy(folder: string, settles: boolean): Promise<string[]> {
  markSegmentsFull(folder);
  const source = new LocalSource(new LocalStore(folder), {
    newFrameId,
    acceptedOrders: () => 0,
    retryMsMax: 60_000,
    log: console.error,
  });
  const ids: string[] = [];
  try {
    await source.counted;
    while (ids.length < source.pendingOrders() + (settles ? ids.length : 0)) {
      const found = await source.pull(100, AbortSignal.timeout(20_000));
      assert.ok(found.length > 0, 'fewer orders come than are counted');
      for (const { frame } of found) {
        for (let i = 0; i < frame.count; i++) ids.push(orderId(frame, i));
      }
      if (settles) await Promise.all(found.map((delivery) => delivery.settle(NOTHING)));
    }
    return ids;
  } finally {
    await source.close();
  }
}
