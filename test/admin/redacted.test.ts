import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { Server } from '../../src/cli/serve/server.js';
import { optionsOf } from '../../src/options/load.js';
import { Shutdown } from '../../src/process/shutdown.js';

it('/readyz shows no secret in why the intake takes no orders', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'forebay-redacted-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const server = await Server.open({
    options: optionsOf({ host: '127.0.0.1', port: 0, adminPort: 0, data, threads: 1 }),
    log: () => {},
    redact: (text) => text.replace('shutting', '***'),
    recent: () => [],
    onFault: () => {},
  });
  const quietly = () => {};
  t.after(() => new Shutdown(() => server.steps, quietly, quietly).run());
  assert.equal(await server.start(), true);
  await server.steps.find(({ what }) => what === 'intake')!.stop(null);
  const response = await fetch(`http://127.0.0.1:${server.adminPort}/readyz`);
  assert.equal(response.status, 503);
  assert.match(await response.text(), /\*\*\* down/);
});
