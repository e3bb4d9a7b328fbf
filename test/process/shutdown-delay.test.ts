import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharesPort } from '../../src/options/port-sharing.js';
import { withDeadline } from '../support/deadline.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { eventually } from '../support/orders.js';
import { post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

/** Longer than any test: only a second signal ends it. */
const NEVER_MS = '600000';

const CLIENTS = 24;
/** Within the microseconds between the last look at the listener and its end, a connection can still arrive. */
const RESETS_MAX = 2;
/**
 * How many stops must be so good, of how many. On a busy machine, the server can be interrupted at just that moment, and a
 * client for longer than a stop waits for its order. Without these waits, about 1 of 10 is so good by chance with node:http.
 */
const STOPS_GOOD = 3;
const STOPS_MAX = 7;

/** Of an order on a connection of its own: the status of its answer, or why there is none. */
async function outcomeOf(url: string): Promise<string> {
  try {
    return String((await postOrder(url, VALID_BODY)).status);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}

async function startLeaving(owner: Owner, flags: readonly string[]): Promise<ForebayProcess> {
  const forebay = await startForebay([...flags, '--shutdown-delay-ms', NEVER_MS], { owner });
  forebay.signal('SIGTERM');
  await eventually('it is leaving', () => forebay.stderr.includes('orders are still taken'));
  return forebay;
}

/** Ends the delay. A signal soon after the first one counts as the same, so this sends it until it counts. */
async function hurry(forebay: ForebayProcess): Promise<number | null> {
  await eventually('the delay ends', () => {
    if (forebay.stderr.includes('second signal')) return true;
    forebay.signal('SIGTERM');
    return false;
  });
  return withDeadline(forebay.exited, 'it ends');
}

async function send(connection: RawConnection, requests = 1): Promise<void> {
  const { head, body } = post(VALID_BODY);
  await connection.write(`${head}${body.toString()}`.repeat(requests));
}

async function refuses(url: string): Promise<boolean> {
  return RawConnection.open(url).then(
    (connection) => {
      connection.destroy();
      return false;
    },
    ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED',
  );
}

/** Why orders failed, each on a connection of its own, that clients sent while the server stopped. */
async function failedAtStop(forebay: ForebayProcess): Promise<string[]> {
  const outcomes: string[] = [];
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (let last = ''; last !== 'ECONNREFUSED'; ) {
      last = await outcomeOf(forebay.url);
      outcomes.push(last);
    }
  });
  await eventually('orders are taken', () => outcomes.length > 200);
  forebay.signal('SIGTERM');
  await Promise.all(clients);
  assert.equal(await withDeadline(forebay.exited, 'it ends'), 0);
  return outcomes.filter((outcome) => outcome !== '200' && outcome !== 'ECONNREFUSED');
}

for (const { http, skip } of ENGINES) {
  const engine = ['--http', http];

  describe(`--shutdown-delay-ms, --http ${http}`, { skip }, () => {
    it('takes orders on new and on open connections, and is not ready meanwhile', async (t) => {
      const forebay = await startForebay([...engine, '--shutdown-delay-ms', NEVER_MS], {
        owner: t,
      });
      const open = await RawConnection.open(forebay.url);
      await send(open);
      assert.notEqual((await open.answer()).headers.connection, 'close');
      forebay.signal('SIGTERM');
      await eventually('it is leaving', () => forebay.stderr.includes('orders are still taken'));
      const ready = await fetch(`${forebay.adminUrl}/readyz`);
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /shutting down/);
      assert.equal((await fetch(`${forebay.adminUrl}/healthz`)).status, 200);
      await send(open);
      for (const answer of [await open.answer(), await postOrder(forebay.url, VALID_BODY)]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.connection, 'close');
        assert.equal(answer.headers['keep-alive'], undefined);
      }
      assert.equal(await hurry(forebay), 0);
      assert.ok(await refuses(forebay.url));
    });

    it('says on every answer that the connection ends, but never before an answer that is due', async (t) => {
      const forebay = await startLeaving(t, engine);
      for (const request of [
        'GET /orders/none HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET /none HTTP/1.1\r\nHost: x\r\n\r\n',
        'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
      ]) {
        const connection = await RawConnection.open(forebay.url);
        await connection.write(request);
        assert.equal((await connection.answer()).headers.connection, 'close', request);
        connection.destroy();
      }
      if (http === 'node') {
        // uWebSockets.js takes no second request before it has answered the first.
        const pipelined = await RawConnection.open(forebay.url);
        await send(pipelined, 3);
        const answers = [];
        for (let i = 0; i < 3; i++) answers.push(await pipelined.answer());
        assert.deepEqual(
          answers.map(({ status, headers }) => [status, headers.connection === 'close']),
          [
            [200, false],
            [200, false],
            [200, true],
          ],
        );
        await pipelined.closed;
      }
      assert.equal(await hurry(forebay), 0);
    });

    it('ends by itself, and then stops as without it', async (t) => {
      const forebay = await startForebay([...engine, '--shutdown-delay-ms', '300'], { owner: t });
      assert.equal(await forebay.stop(), 0);
      assert.match(forebay.stderr, /orders are still taken[\s\S]*stopped/);
    });
  });

  describe(`connections that wait at the listener of a server that stops, --http ${http}`, {
    skip,
  }, () => {
    for (const threads of sharesPort(http) ? ['0', '1', '2'] : ['1']) {
      it(`are not reset: their orders are answered, --threads ${threads}`, async (t) => {
        const forebay = await startForebay([...engine, '--threads', threads], { owner: t });
        // The kernel accepts connections for a process that does not run, and gives them to its listeners.
        forebay.signal('SIGSTOP');
        const waiting = await Promise.all(
          Array.from({ length: 200 }, () => RawConnection.open(forebay.url)),
        );
        await Promise.all(waiting.map((connection) => send(connection)));
        forebay.signal('SIGTERM');
        forebay.signal('SIGCONT');
        const answers = await Promise.all(waiting.map((connection) => connection.answer()));
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
        assert.equal(await forebay.exited, 0);
      });
    }

    it('nearly never fail, with a connection for each order', async (t) => {
      const flags = [...engine, '--threads', sharesPort(http) ? '2' : '1'];
      const failures: string[] = [];
      for (let good = 0, stops = 0; good < STOPS_GOOD; stops++) {
        assert.ok(stops < STOPS_MAX, failures.join('\n'));
        const failed = await failedAtStop(await startForebay(flags, { owner: t }));
        if (failed.length <= RESETS_MAX) good++;
        else failures.push(failed.join());
      }
    });

    it('get a moment for an order that is on its way', async (t) => {
      let status = 0;
      // On a busy machine, the order can be on its way for longer than that moment.
      for (let stops = 0; status !== 200; stops++) {
        assert.ok(stops < STOPS_MAX, 'no order is answered');
        const forebay = await startForebay(engine, { owner: t });
        forebay.signal('SIGSTOP');
        const waiting = await RawConnection.open(forebay.url);
        forebay.signal('SIGTERM');
        forebay.signal('SIGCONT');
        await eventually('it stops', () => forebay.stderr.includes('stopping'));
        await send(waiting);
        status = await waiting.answer().then(
          (answer) => answer.status,
          () => 0,
        );
        assert.equal(await forebay.exited, 0);
      }
    });
  });
}
