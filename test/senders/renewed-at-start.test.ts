import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '../../src/cli/serve/server.js';
import { optionsOf } from '../../src/options/load.js';
import { Shutdown } from '../../src/process/shutdown.js';
import { keyLine, newKey, sha256Of } from '../../src/senders/key-file.js';
import { eventually } from '../support/orders.js';
import { postOrder, VALID_BODY } from '../support/raw-http.js';
import { testOwner } from '../support/reverse-owner.js';

/** Longer than two looks at the file. */
const LOOKS_MS = 2500;

describe('keys that change after a server was opened and before it is started', () => {
  for (const threads of [0, 1]) {
    it(`are in use, and so is the next change, with --threads ${threads}`, async (t) => {
      const owner = testOwner(t);
      const folder = mkdtempSync(join(tmpdir(), 'senders-renewed-'));
      owner.after(async () => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, 'keys');
      const [first, second, third] = [newKey(), newKey(), newKey()];
      const write = (key: string) =>
        writeFileSync(file, keyLine({ name: 'shop', sha256: sha256Of(key), rps: 0 }));
      write(first);
      const given = { host: '127.0.0.1', port: 0, adminPort: 0, threads, apiKeys: file };
      const server = await Server.open({
        options: optionsOf({ ...given, data: join(folder, 'data') }),
        log: () => {},
        redact: (text) => text,
        recent: () => [],
        onFault: () => {},
      });
      const ignore = () => {};
      owner.after(async () => void (await new Shutdown(() => server.steps, ignore, ignore).run()));
      write(second);
      await sleep(LOOKS_MS);
      assert.equal(await server.start(), true);
      const { port } = server.at as { port: number };
      const statusOf = async (key: string) => {
        const headers = { 'X-Api-Key': key };
        return (await postOrder(`http://127.0.0.1:${port}`, VALID_BODY, headers)).status;
      };
      await eventually('the second is known', async () => (await statusOf(second)) === 200);
      assert.equal(await statusOf(first), 401);
      write(third);
      await eventually('the third is known', async () => (await statusOf(third)) === 200);
    });
  }
});
