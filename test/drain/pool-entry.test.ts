import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { StartGate } from '../../src/memory/start-gate.js';
import { StartedCalls } from '../../src/memory/started-calls.js';

const ENTRY = fileURLToPath(new URL('../../workers/pool/entry.cjs', import.meta.url));

// Node 20 aborts the process if a thread is ended while it requires an ES module.
it('a pool thread requires no ES module', async () => {
  const code = `const { parentPort } = require('node:worker_threads');
    require(${JSON.stringify(ENTRY)})
      .then(({ loadHandler }) => loadHandler())
      .then((result) => parentPort.postMessage(result));`;
  const worker = new Worker(code, {
    eval: true,
    execArgv: ['--no-experimental-require-module'],
    workerData: {
      startedCalls: new StartedCalls().memory,
      startGate: new StartGate().memory,
      handler: new URL('../../workers/handlers/simulate.js', import.meta.url).href,
      context: { env: {} },
      hand: null,
    },
  });
  const results: unknown[] = [];
  worker.on('message', (result) => results.push(result));
  const [exitCode] = await once(worker, 'exit');
  assert.equal(exitCode, 0);
  assert.deepEqual(results.at(-1), { error: null, outage: null });
});
