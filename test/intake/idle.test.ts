import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINES } from '../support/engines.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { exchange, post, RawConnection, VALID_BODY } from '../support/raw-http.js';

/** The seconds for which an answer says that its connection is kept. */
function announcedS(headers: Readonly<Record<string, string>>): number {
  const [, seconds] = /^timeout=(\d+)$/.exec(headers['keep-alive'] ?? '') ?? [];
  assert.ok(seconds !== undefined, JSON.stringify(headers));
  return Number(seconds);
}

async function order(connection: RawConnection) {
  const { head, body } = post(VALID_BODY);
  await connection.write(head + body.toString());
  return connection.answer();
}

// Each case waits most of the time.
describe('idle connections and slow bodies', { concurrency: true }, () => {
  for (const { http, skip } of ENGINES) {
    describe(`--http ${http}`, { skip, concurrency: true }, () => {
      it('a connection is kept for as long as is announced, and ends some time later', async (t) => {
        const flags = ['--http', http, ...(http === 'node' ? ['--keep-alive-ms', '3000'] : [])];
        const forebay = await startForebay(flags, { owner: t });
        for (let isLate = true; isLate; ) {
          const connection = await RawConnection.open(forebay.url);
          // The server counts from its answer, which can arrive late.
          const startedMs = performance.now();
          const seconds = announcedS((await order(connection)).headers);
          assert.equal(seconds, http === 'node' ? 3 : 7);
          await sleep(startedMs + seconds * 1000 - 100 - performance.now());
          // On a busy machine this client may be late, as one that does not look at the clock.
          isLate = performance.now() - startedMs > seconds * 1000;
          if (!isLate) {
            const second = await order(connection);
            assert.equal(second.status, 200);
            assert.equal(announcedS(second.headers), seconds);
          }
          await connection.closed;
        }
        assert.equal(await forebay.stop(), 0);
      });

      it('every answer announces it, also a refusal', async (t) => {
        const forebay = await startForebay(['--http', http], { owner: t });
        const seconds = http === 'node' ? 75 : 7;
        for (const request of [
          'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
          'GET /orders HTTP/1.1\r\nHost: x\r\n\r\n',
          'GET /orders/x HTTP/1.1\r\nHost: x\r\n\r\n',
          post('', { 'Content-Type': 'text/plain' }).head,
          post('').head,
        ]) {
          assert.equal(
            announcedS((await exchange(forebay.url, request)).headers),
            seconds,
            request,
          );
        }
        assert.equal(await forebay.stop(), 0);
      });

      it('a body may take --body-ms-max, also more than 10 s, and no longer', async (t) => {
        const flags = ['--http', http, '--body-ms-max', '17000'];
        const forebay = await startForebay(flags, { owner: t });
        const slow = await RawConnection.open(forebay.url);
        const endless = await RawConnection.open(forebay.url);
        const { head, body } = post(VALID_BODY);
        await slow.write(head);
        await endless.write(head);
        const startedMs = performance.now();
        // Nothing arrives for longer than uWebSockets.js would wait.
        for (const [at, afterMs] of [
          [10, 13_000],
          [20, 1000],
          [body.length, 500],
        ] as const) {
          await sleep(afterMs);
          await slow.write(body.subarray(at === 10 ? 0 : at === 20 ? 10 : 20, at));
        }
        assert.equal((await slow.answer()).status, 200);
        await endless.closed;
        const lastedMs = performance.now() - startedMs;
        assert.ok(lastedMs >= 16_900, `${lastedMs} ms`);
        slow.destroy();
        assert.equal(await forebay.stop(), 0);
      });
    });
  }
});

describe('--keep-alive-ms', () => {
  it('of more than uWebSockets.js can keep is refused in one line, by check too', {
    skip: ENGINES[0].skip,
  }, async () => {
    const flags = ['--http', 'uws', '--keep-alive-ms', '60000', '--mode', 'direct'];
    const served = await runForebay(['serve', ...flags]);
    assert.equal(served.code, 2);
    assert.match(
      served.stderr,
      /^forebay: --keep-alive-ms 60000: .*fix: at most 7000, or --http node\n$/,
    );
    const checked = await runForebay(['check', ...flags, '--port', '0', '--admin-port', '0']);
    assert.match(checked.stdout, /^fail .*--keep-alive-ms 60000/m);
    assert.notEqual(checked.code, 0);
  });
});
