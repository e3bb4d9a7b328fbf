import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { nodeEngine } from '../../src/intake/node/engine.js';

/** The timers that were made since, and still run. */
function runningTimers(t: TestContext): ReadonlySet<number> {
  const running = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') running.add(id);
    },
    destroy: (id) => running.delete(id),
  });
  hook.enable();
  t.after(() => hook.disable());
  return running;
}

it('a closed node:http engine leaves no timer behind', async (t) => {
  const running = runningTimers(t);
  const limits = {
    gate: { opened: () => true, closed: () => {} },
    refusal: { head: '503 Service Unavailable', body: '' },
    keepAliveMs: 1000,
    bodyMsMax: 1000,
  };
  const route = { method: 'any', path: '/*', answer: () => {} } as const;
  const engine = nodeEngine.create([route], limits, null);
  await engine.listen({ at: { address: '127.0.0.1', port: 0 }, isShared: false });
  assert.equal(running.size, 1);
  engine.close();
  await nextTurn();
  assert.equal(running.size, 0);
});
