import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startExpiry } from '../../../src/journal/store/expiry.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';

const READER = fileURLToPath(new URL('./killed-reader.js', import.meta.url));
const ROUNDS = 200;

it('a reader that was killed does not make the journal grow without limit', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-dlq-'));
  const store = new LocalStore(folder);
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const bytes = () => statSync(join(folder, 'journal.lmdb')).size;
  const churn = async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await store.write(() => {
        for (let i = 0; i < 20; i++)
          store.dead.put(Buffer.from(`k${i}`), Buffer.alloc(3000, round));
      });
      store.refresh();
    }
  };
  await churn();
  const before = bytes();
  const [, signal] = await once(spawn(process.execPath, [READER, folder]), 'exit');
  assert.equal(signal, 'SIGKILL');
  t.mock.timers.enable({ apis: ['setInterval'] });
  const stop = startExpiry(store, { settledS: 60, idempotencyS: 60 });
  t.mock.timers.tick(5000);
  stop();
  t.mock.timers.reset();
  await churn();
  assert.ok(bytes() < 2 * before, `${before} bytes, then ${bytes()}`);
});
