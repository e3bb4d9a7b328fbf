import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeEngine } from '../../src/intake/node/engine.js';
import { ENGINES } from '../support/engines.js';
import { post, RawConnection, VALID_BODY } from '../support/raw-http.js';
import { serverHere } from './server-here.js';

/** Longer than a stop waits for orders that are on their way. */
const BLOCKED_MS = 400;

for (const { http, skip } of ENGINES) {
  describe(`a stop of a thread that gets no time to run, --http ${http}`, { skip }, () => {
    it('takes an order that has arrived', async (t) => {
      const engine =
        http === 'node' ? nodeEngine : (await import('../../src/intake/uws/engine.js')).uwsEngine;
      const { server, committer, url } = await serverHere(t, engine);
      const { head, body } = post(VALID_BODY);
      const client = await RawConnection.open(url);
      await client.write(`${head}${body}`);
      assert.equal((await client.answer()).status, 200);
      const stopped = server.stop(() => committer.drained());
      const written = client.write(`${head}${body}`);
      for (const endMs = performance.now() + BLOCKED_MS; performance.now() < endMs; );
      await written;
      assert.equal((await client.answer()).status, 200);
      client.destroy();
      await stopped;
    });
  });
}
