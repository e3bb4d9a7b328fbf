import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { ledgerHandler } from '../drain/handlers.js';
import { fresh } from '../journal/frames.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

const DONE = 'work_done_total{status="done"}';
/** Less than the largest frame that the default options allow. */
const SMALL_PAYLOAD = 128 * 1024;

async function ready(forebay: ForebayProcess): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${forebay.adminUrl}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

for (const version of NATS_VERSIONS) {
  describe(`frames that NATS never takes, ${version}`, () => {
    test('stay in the spool and are reported, and those behind them are forwarded', async (t) => {
      const data = await mkdtemp(join(tmpdir(), 'forebay-unfit-'));
      t.after(() => rm(data, { recursive: true, force: true }));
      const nats = await NatsServer.start({ version });
      t.after(() => nats.stop());
      const keys = Array.from({ length: 1000 }, (_, position) => ({
        position,
        key: `${position}`.padStart(64, 'k'),
        digest: '0123456789abcdef',
      }));
      const unfit = { ...fresh(1000), keys };
      const spool = new LocalAppender(new LocalStore(data));
      await spool.commit(unfit);
      const behind = Array.from({ length: 40 }, () => fresh(2));
      for (const frame of behind) await spool.commit(frame);
      await spool.close();

      const ledger = await ledgerHandler(t);
      const flags = ['--nats', nats.url, '--handler', ledger.file];
      const forebay = await startForebay(flags, { owner: t, data });
      await eventually(
        'those behind it are done',
        async () => (await metric(forebay, DONE)) === 80,
      );
      await eventually('it is counted', async () => {
        return (await metric(forebay, 'forebay_spool_unfit_orders')) === 1000;
      });
      await eventually('it alone is left', async () => {
        return (await metric(forebay, 'forebay_spool_orders')) === 1000;
      });
      const { status, text } = await ready(forebay);
      assert.equal(status, 200);
      assert.match(text, /1000 orders stay in the spool: NATS: .*header size exceeds/);
      assert.match(forebay.stderr, new RegExp(`"event":"spool-unfit".*${unfit.id}`));
      const client = new OrderClient(forebay.url);
      t.after(() => client.close());
      assert.equal((await client.post('fresh')).status, 200);
      assert.equal(await forebay.stop(), 0);
      const store = new LocalStore(data);
      const kept = [...store.frames.getKeys()].map((key) => key.toString('latin1', 0, 26));
      await store.close();
      assert.deepEqual(kept, [unfit.id]);
    });

    test('are a fault at the start when max_payload is below the largest frame', async (t) => {
      const nats = await NatsServer.start({ version, maxPayload: SMALL_PAYLOAD });
      t.after(() => nats.stop());
      const data = await mkdtemp(join(tmpdir(), 'forebay-unfit-'));
      t.after(() => rm(data, { recursive: true, force: true }));
      const flags = ['--nats', nats.url, '--data', data, '--port', '0', '--admin-port', '0'];
      const { code, stderr } = await runForebay(['serve', '--log-level', 'silent', ...flags]);
      assert.match(
        stderr,
        /^forebay: NATS takes messages of 131072 bytes \(max_payload\), but with --frame-bytes-max 262144 .*\n$/,
      );
      assert.equal(code, 2);
    });

    test('go to the spool while NATS is back with a max_payload that is too small', async (t) => {
      const nats = await NatsServer.start({ version });
      t.after(() => nats.stop());
      const forebay = await startForebay(['--nats', nats.url], { owner: t });
      const client = new OrderClient(forebay.url);
      t.after(() => client.close());
      await nats.kill();
      nats.configure({ maxPayload: SMALL_PAYLOAD });
      await nats.start();
      await eventually('it is told', async () => {
        const { status, text } = await ready(forebay);
        return status === 200 && text.includes('--frame-bytes-max 262144');
      });
      assert.equal((await client.post('meanwhile')).status, 200);
      assert.equal(await metric(forebay, 'forebay_spooled_orders_total'), 1);
      await nats.kill();
      nats.configure({});
      await nats.start();
      await eventually('it is done', async () => (await metric(forebay, DONE)) === 1);
      assert.equal(await forebay.stop(), 0);
    });
  });
}
