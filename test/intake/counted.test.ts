import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineFactory, HttpReply } from '../../src/intake/http.js';
import { responseCounter, type ThreadCounts } from '../../src/metrics/count.js';
import { ENGINES } from '../support/engines.js';
import { post, RawConnection, VALID_BODY } from '../support/raw-http.js';
import { engineOf, serverHere } from './server-here.js';

const REQUESTS = [
  [200, order(VALID_BODY)],
  [400, order('{}')],
  [415, order(VALID_BODY).replace(/^content-type:.*\r\n/im, '')],
  [415, order(VALID_BODY).replace('\r\n', '\r\nContent-Encoding: br\r\n')],
  [404, 'GET /none HTTP/1.1\r\nHost: x\r\n\r\n'],
  [405, 'DELETE /orders HTTP/1.1\r\nHost: x\r\n\r\n'],
] as const;

function order(body: string): string {
  const { head, body: bytes } = post(body);
  return `${head}${bytes}`;
}

/** Calls `onEnd` before the end of each answer is written. */
function watched(engine: EngineFactory, onEnd: () => void): EngineFactory {
  const watch = (reply: HttpReply): HttpReply =>
    new Proxy(reply, {
      get: (_, name) => {
        const method = Reflect.get(reply, name) as (...values: unknown[]) => unknown;
        return (...values: unknown[]) => {
          if (name === 'end' || name === 'tryEnd' || name === 'endWithoutBody') onEnd();
          const result = method.apply(reply, values);
          return result === reply ? watch(reply) : result;
        };
      },
    });
  return {
    ...engine,
    create: (routes, limits, tls) =>
      engine.create(
        routes.map((route) => ({
          ...route,
          answer: (reply, head) => route.answer(watch(reply), head),
        })),
        limits,
        tls,
      ),
  };
}

for (const { http, skip } of ENGINES) {
  describe(`an answer, --http ${http}`, { skip }, () => {
    it('is counted before it is written', async (t) => {
      const seen: number[] = [];
      let counter = 0;
      let counts: ThreadCounts | null = null;
      const engine = watched(await engineOf(http), () => seen.push(counts!.get(counter)));
      const here = await serverHere(t, engine);
      counts = here.counts;
      for (const [status, request] of REQUESTS) {
        counter = responseCounter(status);
        const before = counts.get(counter);
        const client = await RawConnection.open(here.url);
        await client.write(request);
        assert.equal((await client.answer()).status, status);
        client.destroy();
        assert.deepEqual(seen.splice(0), [before + 1], request);
      }
    });
  });
}
