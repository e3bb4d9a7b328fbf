import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { HttpReply } from '../../src/intake/http.js';
import { Replies } from '../../src/intake/reply.js';
import { loadEngine } from '../../workers/intake/engine.js';
import { ENGINES } from '../support/engines.js';

/** More than the kernel takes before the client reads. */
const ITEMS = 1_000_000;
const ANSWER = { refused: Array.from({ length: ITEMS }, (_, i) => i) };
const GATE = { opened: () => true, closed: () => {} };
const LIMITS = {
  gate: GATE,
  refusal: { head: '503 Service Unavailable', body: '' },
  keepAliveMs: 7000,
  bodyMsMax: 7000,
};

for (const { http, skip } of ENGINES) {
  describe(`long answers with --http ${http}`, { skip }, () => {
    it('are complete for a client that reads later, and the connection goes on', async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'long-answers-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const path = join(folder, 'socket');
      const replies = new Replies([], () => assert.fail('the client reads'));
      let answered = 0;
      const answer = (res: HttpReply) => {
        res.onAborted(() => assert.fail('it was answered'));
        replies.detailed(res, 'created', [], JSON.stringify(ANSWER));
        answered++;
      };
      const factory = await loadEngine(http);
      const engine = factory.create([{ method: 'post', path: '/b', answer }], LIMITS, null);
      t.after(() => engine.close());
      await engine.listen({ at: { path }, isShared: false });
      const socket = connect(path).pause();
      await once(socket, 'connect');
      const request = 'POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n';
      socket.write(`${request}\r\n`);
      while (answered === 0) await new Promise(setImmediate);
      const received: Buffer[] = [];
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        received.push(chunk as Buffer);
        if (String(chunk).endsWith(']}')) break;
      }
      assert.deepEqual(bodyOf(Buffer.concat(received)), ANSWER);
      socket.write(`${request}Connection: close\r\n\r\n`);
      assert.deepEqual(bodyOf(await buffer(socket)), ANSWER);
      assert.equal(answered, 2);
    });
  });
}

function bodyOf(answer: Buffer): unknown {
  const text = answer.toString();
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
}
