import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HandlerPool } from '../../src/drain/handler-pool.js';
import { StartGate } from '../../src/memory/start-gate.js';
import { withDeadline } from '../support/deadline.js';
import { eventually } from '../support/orders.js';

const ENTRY = fileURLToPath(new URL('../../workers/pool/entry.cjs', import.meta.url));

/** A pool whose handler, which has begun to load, goes on when `go` is called. */
async function loading(t: TestContext, loadingMsMax: number) {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-loading-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [handler, begun, go, loaded] = ['handler.mjs', 'begun', 'go', 'loaded'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(
    handler,
    `import { existsSync, writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(begun)}, '');
     while (!existsSync(${JSON.stringify(go)})) await new Promise((done) => setTimeout(done, 10));
     writeFileSync(${JSON.stringify(loaded)}, '');
     export default async () => {};`,
  );
  const context = { attemptsMax: 5, options: { workMs: 0, errorRate: 0 } };
  const startGate = new StartGate().memory;
  const pool = new HandlerPool(
    {
      entry: ENTRY,
      threads: 1,
      heapMb: 64,
      callMsMax: 0,
      loadingMsMax,
      threadData: { handler: pathToFileURL(handler).href, context, startGate },
      hand: null,
    },
    { onFault: () => {}, onStrays: () => {} },
  );
  t.after(() => pool.destroy());
  // Its end makes it fail.
  void pool.loadHandler();
  await eventually('it loads', () => existsSync(begun));
  return { pool, go: () => writeFileSync(go, ''), isLoaded: () => existsSync(loaded) };
}

describe('a pool that is ended while its handler loads', () => {
  // A thread that is ended while it loads a native module can take the process down.
  it('waits for it', async (t) => {
    const { pool, go, isLoaded } = await loading(t, 600_000);
    const destroyed = pool.destroy();
    go();
    await withDeadline(destroyed, 'it ends');
    assert.equal(isLoaded(), true);
  });

  it('does not wait for ever', async (t) => {
    const { pool, isLoaded } = await loading(t, 50);
    await withDeadline(pool.destroy(), 'it ends');
    assert.equal(isLoaded(), false);
  });
});
