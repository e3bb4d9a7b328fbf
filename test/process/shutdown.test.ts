import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type LedgerLine, ledgerHandler, UNTIL_GO } from '../drain/handlers.js';
import { withDeadline } from '../support/deadline.js';
import { type Owner, startForebay } from '../support/forebay.js';
import { SEVERAL_THREADS } from '../support/http-engine.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { RUNS_ALL } from '../support/program.js';

/** After a kill, JetStream delivers again only after its ack_wait of 30 s. */
const JOURNALS = RUNS_ALL ? (['local', 'jetstream'] as const) : (['local'] as const);

/** Flags that make Forebay use the journal, for any number of starts. */
async function journalFlags(journal: 'local' | 'jetstream', owner: Owner): Promise<string[]> {
  if (journal === 'local') return [];
  const nats = await NatsServer.start();
  owner.after(() => nats.stop());
  return ['--nats', nats.url];
}

async function dataFolder(owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-data-'));
  owner.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Load {
  /** Resolves when this number of orders has been answered with 200. */
  readonly accepted: (orders: number) => Promise<void>;
  /** @returns the ids of all orders that were answered with 200 */
  readonly stop: () => Promise<string[]>;
}

/** Posts orders on several connections until it is stopped, with pauses that keep the backlog small. */
function startLoad(url: string): Load {
  const client = new OrderClient(url, 32);
  const ids: string[] = [];
  let running = true;
  let posted = 0;
  const loops = Array.from({ length: 32 }, async () => {
    while (running) {
      const { status, id } = await client.post(`user-${posted++}`);
      if (status === 200) ids.push(id);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  return {
    accepted: (orders) => eventually(`${orders} are accepted`, () => ids.length >= orders),
    stop: async () => {
      running = false;
      await Promise.all(loops);
      client.close();
      return ids;
    },
  };
}

function timesById(lines: readonly LedgerLine[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { id } of lines) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

for (const journal of JOURNALS) {
  describe(`ordered shutdown under load, journal ${journal}`, () => {
    it('processes every accepted order exactly once, across three shutdowns', async (t) => {
      const data = await dataFolder(t);
      // Slow enough that each shutdown has orders in every stage.
      const handler = await ledgerHandler(
        t,
        'await new Promise((r) => setTimeout(r, 2 * orders.length));',
      );
      const flags = [
        ...(await journalFlags(journal, t)),
        '--handler',
        handler.file,
        '--threads',
        SEVERAL_THREADS,
      ];
      const accepted: string[] = [];
      for (let round = 0; round < 3; round++) {
        const forebay = await startForebay(flags, { owner: t, data });
        const load = startLoad(forebay.url);
        await load.accepted(150);
        assert.equal(await forebay.stop(), 0);
        accepted.push(...(await load.stop()));
      }
      const last = await startForebay([...flags, '--batch-orders-max', '1000'], { owner: t, data });
      await eventually('the backlog is gone', async () => {
        const seen = new Set((await handler.lines()).map((line) => line.id));
        return accepted.every((id) => seen.has(id));
      });
      assert.equal(await last.stop(), 0);
      const times = timesById(await handler.lines());
      assert.deepEqual(
        accepted.filter((id) => times.get(id) !== 1),
        [],
        'lost or doubled',
      );
    });

    it('processes every accepted order at least once, across three kills', async (t) => {
      const data = await dataFolder(t);
      const handler = await ledgerHandler(t, '');
      const flags = [
        ...(await journalFlags(journal, t)),
        '--handler',
        handler.file,
        '--drain-rate',
        '2000',
      ];
      const accepted: string[] = [];
      for (let round = 0; round < 3; round++) {
        const forebay = await startForebay(flags, { owner: t, data });
        const load = startLoad(forebay.url);
        await load.accepted(50 + 200 * Math.random());
        await forebay.kill9();
        accepted.push(...(await load.stop()));
      }
      const last = await startForebay(flags.slice(0, -2), { owner: t, data });
      await eventually('every accepted order was processed', async () => {
        const seen = new Set((await handler.lines()).map((line) => line.id));
        return accepted.every((id) => seen.has(id));
      });
      assert.equal(await last.stop(), 0);
    });
  });
}

describe('ordered shutdown', () => {
  it('answers all accepted orders before it ends', async (t) => {
    const handler = await ledgerHandler(t, UNTIL_GO);
    const flags = ['--mode', 'direct', '--handler', handler.file, '--shutdown-ms-max', '60000'];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    const answer = client.post('user');
    await eventually(
      'it waits',
      async () => (await metric(forebay, 'forebay_waiting_orders')) === 1,
    );
    forebay.signal('SIGTERM');
    await eventually('it is stopping', () => forebay.stderr.includes('stopping'));
    await handler.go();
    assert.equal((await answer).status, 200);
    assert.equal(await forebay.exited, 0);
    client.close();
  });

  it('ends at once at a second signal', async (t) => {
    const handler = await ledgerHandler(t, 'for (;;);');
    const forebay = await startForebay(['--handler', handler.file, '--shutdown-ms-max', '600000'], {
      owner: t,
    });
    const client = new OrderClient(forebay.url);
    await client.post('user');
    await eventually('the handler has it', async () => (await handler.lines()).length === 1);
    forebay.signal('SIGTERM');
    await eventually('it is stopping', () => forebay.stderr.includes('stopping'));
    // Closer signals count as one, because a terminal and npm both deliver it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    forebay.signal('SIGTERM');
    await withDeadline(forebay.exited, 'it ends without waiting for the handler');
    client.close();
  });

  it('treats a signal that is delivered twice, as by a terminal and npm, as one', async (t) => {
    const forebay = await startForebay([], { owner: t });
    forebay.signal('SIGINT');
    forebay.signal('SIGTERM');
    assert.equal(await forebay.exited, 0);
  });

  it('is ordered while NATS is unavailable and a frame cannot be settled', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const handler = await ledgerHandler(t, 'await new Promise((r) => setTimeout(r, 700));');
    const flags = ['--nats', nats.url, '--handler', handler.file, '--shutdown-ms-max', '30000'];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    await client.post('user');
    await eventually('the handler has it', async () => (await handler.lines()).length === 1);
    await nats.kill();
    assert.equal(await forebay.stop(), 0);
    client.close();
  });

  it('ends at --shutdown-ms-max when a handler never returns, and logs it', async (t) => {
    const handler = await ledgerHandler(t, 'await new Promise(() => {});');
    const flags = ['--handler', handler.file, '--shutdown-ms-max', '500'];
    const forebay = await startForebay(flags, { owner: t });
    const client = new OrderClient(forebay.url);
    await client.post('user');
    await eventually('the handler has it', async () => (await handler.lines()).length === 1);
    forebay.signal('SIGINT');
    assert.notEqual(await forebay.exited, 0);
    assert.match(forebay.stderr, /--shutdown-ms-max is over/);
    client.close();
  });
});
