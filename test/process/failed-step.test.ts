import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { Server } from '../../src/cli/serve/server.js';
import { optionsOf } from '../../src/options/load.js';
import { claimFolder } from '../../src/process/locks.js';
import { Shutdown } from '../../src/process/shutdown.js';
import { withDeadline } from '../support/deadline.js';

async function opened(t: TestContext, threads: number): Promise<{ server: Server; data: string }> {
  const data = mkdtempSync(join(tmpdir(), 'forebay-failed-step-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const options = optionsOf({ host: '127.0.0.1', port: 0, adminPort: 0, data, threads });
  const server = await Server.open({
    options,
    log: () => {},
    redact: (text) => text,
    recent: () => [],
    onFault: () => {},
  });
  return { server, data };
}

for (const threads of [0, 1, 2]) {
  it(`a server with --threads ${threads} that was opened and never started can be stopped`, async (t) => {
    const { server, data } = await opened(t, threads);
    const stop = new Shutdown(
      () => server.steps,
      () => {},
      () => {},
    );
    assert.equal(await withDeadline(stop.run(), 'it stops'), null);
    await (await claimFolder(data))();
  });
}

it('the data folder stays claimed if a stage did not stop', async (t) => {
  const { server, data } = await opened(t, 1);
  const failure = new Error('the drain did not stop');
  const steps = server.steps.map((step) =>
    step.what === 'drain'
      ? { ...step, stop: () => step.stop(null).then(() => Promise.reject(failure)) }
      : step,
  );
  assert.equal(
    await new Shutdown(
      () => steps,
      () => {},
      () => {},
    ).run(),
    failure,
  );
  await assert.rejects(claimFolder(data), /in use/);
  assert.equal(
    await new Shutdown(
      () => server.steps.slice(-1),
      () => {},
      () => {},
    ).run(),
    null,
  );
  const release = await claimFolder(data);
  await release();
});
