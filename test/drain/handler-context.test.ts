import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { runForebay, startForebay } from '../support/forebay.js';

const URL_WITH_PASSWORD = 'postgres://user:secret-password@127.0.0.1:5432/shop';

it("a user's handler gets the documented context, and nowhere the database's URL", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-context-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const seen = join(folder, 'seen.json');
  const handler = join(folder, 'handler.mjs');
  await writeFile(
    handler,
    `import { writeFileSync } from 'node:fs';
     import { workerData } from 'node:worker_threads';
     export default () => {};
     export const prepare = (context) =>
       writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ context, workerData }));
     export const check = (context) => JSON.stringify({ context, workerData });`,
  );
  const flags = ['--handler', handler, '--postgres-url', URL_WITH_PASSWORD, '--workers', '1'];
  const expected = { attemptsMax: 5, options: { workMs: 0, errorRate: 0 } };

  const forebay = await startForebay(flags, { owner: t });
  assert.equal(await forebay.stop(), 0);
  const served = await readFile(seen, 'utf8');
  assert.deepEqual(JSON.parse(served).context, expected);
  assert.ok(!served.includes('secret-password'), served);

  const checked = await runForebay(['check', ...flags, '--port', '0', '--admin-port', '0']);
  const line = checked.stdout.split('\n').find((text) => /^ok +handler /.test(text))!;
  assert.ok(line.includes(JSON.stringify(expected)), checked.stdout);
  assert.ok(!line.includes('secret-password'), line);
});
