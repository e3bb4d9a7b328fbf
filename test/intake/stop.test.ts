import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { ENGINES } from '../support/engines.js';
import { post, RawConnection, VALID_BODY } from '../support/raw-http.js';
import { engineOf, serverHere } from './server-here.js';

/** Longer than a stop waits for orders that are on their way. */
const BLOCKED_MS = 400;
/** Longer than it waits for a moment at which no connection waits at the listener. */
const QUIET_MS = 1100;

function block(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

for (const { http, skip } of ENGINES) {
  describe(`a stop of a thread that gets no time to run, --http ${http}`, { skip }, () => {
    it('takes an order that has arrived', async (t) => {
      const { server, committer, url } = await serverHere(t, await engineOf(http));
      const { head, body } = post(VALID_BODY);
      const client = await RawConnection.open(url);
      await client.write(`${head}${body}`);
      assert.equal((await client.answer()).status, 200);
      const stopped = server.stop(() => committer.drained());
      const written = client.write(`${head}${body}`);
      block(BLOCKED_MS);
      await written;
      assert.equal((await client.answer()).status, 200);
      client.destroy();
      await stopped;
    });

    it('accepts the connections that waited at its listener', async (t) => {
      const { server, url } = await serverHere(t, await engineOf(http));
      const { hostname: host, port } = new URL(url);
      const { head, body } = post(VALID_BODY);
      // The kernel completes them, and the thread is too busy to accept them.
      const clients = Array.from({ length: 20 }, () => {
        return new RawConnection(connect({ host, port: Number(port) }));
      });
      const deaf = server.stopListening();
      block(QUIET_MS);
      const answers = clients.map(async (client) => {
        await client.write(`${head}${body}`);
        return (await client.answer()).status;
      });
      assert.deepEqual(new Set(await Promise.all(answers)), new Set([200]));
      await deaf;
      for (const client of clients) client.destroy();
    });
  });
}
