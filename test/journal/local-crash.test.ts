import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { markSegmentsFull } from '../../src/journal/local/segment-files.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { newFrameId, plain, take } from './frames.js';
import { linesUntilKilled } from './killed.js';

const ROUNDS = 5;

test('local: after kill -9 at any moment, every frame whose commit resolved is complete', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-crash-'));
  const resolved = new Set<string>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const printed = await linesUntilKilled('append-process.js', [folder], Math.random() * 300);
      for (const id of printed) resolved.add(id);
      const found = await delivered(folder);
      for (const id of resolved) assert.ok(found.has(id), `frame ${id} is lost`);
    }
    assert.ok(resolved.size > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function delivered(folder: string): Promise<Set<string>> {
  const log = console.error;
  const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log };
  // As a start does when it has claimed the folder.
  markSegmentsFull(folder);
  const source = new LocalSource(new LocalStore(folder), parts);
  try {
    await source.counted;
    const orders = source.pendingOrders();
    const taken = await take(source, orders / 8, 10_000);
    for (const { frame } of taken) assert.equal(plain(frame).payload.split('\n').length, 9);
    return new Set(taken.map(({ frame }) => frame.id));
  } finally {
    await source.close();
  }
}
