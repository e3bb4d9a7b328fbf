import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { withManager } from '../../journal/jetstream-api.js';
import { startForebay } from '../../support/forebay.js';
import { freePort } from '../../support/free-port.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../../support/nats.js';
import { eventually, OrderClient } from '../../support/orders.js';
import { contents, runCheck, temporaryFolder } from './run-check.js';

for (const version of NATS_VERSIONS) testWith(version);

async function start(t: TestContext, version: NatsVersion): Promise<NatsServer> {
  const nats = await NatsServer.start({ version });
  t.after(() => nats.stop());
  return nats;
}

/** Every stream with its settings and state, and every consumer. */
function streams(nats: NatsServer): Promise<unknown[]> {
  return withManager(nats, async (manager) => {
    const found = [];
    for await (const { config, state } of manager.streams.list()) {
      const consumers = [];
      for await (const { name } of manager.consumers.list(config.name)) consumers.push(name);
      found.push({ config, state, consumers });
    }
    return found;
  });
}

function messages(nats: NatsServer): Promise<number> {
  return withManager(
    nats,
    async (manager) => (await manager.streams.info('FOREBAY')).state.messages,
  );
}

function testWith(version: NatsVersion): void {
  describe(`forebay check with ${version}`, () => {
    it('without streams: says what would be created, and creates nothing', async (t) => {
      const nats = await start(t, version);
      const folder = temporaryFolder(t);
      const found = await runCheck('--nats', nats.url, '--data', join(folder, 'none'));
      assert.equal(found.code, 0);
      assert.match(found.about('nats').text, /nats-server 2\.\d+.* answers, with JetStream/);
      const declared = found.findings.filter(({ about }) => /^(stream|consumer)$/.test(about));
      assert.deepEqual(
        declared.map(({ facts }) => facts.name),
        [
          'FOREBAY',
          'FOREBAY_DEAD',
          'FOREBAY_LEDGER',
          'FOREBAY_DRAIN',
          'FOREBAY_FOREIGN',
          'forebay-drain',
          'forebay-retry',
        ],
      );
      for (const { text } of declared) assert.match(text, /does not exist, would be created/);
      const { verdict, text, fix } = found.about('guarantee');
      assert.equal(verdict, 'warn');
      assert.match(text, /^os: /);
      assert.match(fix, /sync_interval: always/);
      assert.deepEqual(await streams(nats), []);
      assert.deepEqual(contents(folder), []);
    });

    it('beside a running server: reports the content of the streams, and changes nothing', async (t) => {
      const nats = await start(t, version);
      const forebay = await startForebay(['--nats', nats.url, '--drain', 'off'], { owner: t });
      const client = new OrderClient(forebay.url);
      assert.equal((await client.post('maksim')).status, 200);
      client.close();
      // The order may have gone through the spool.
      await eventually('it is in the stream', async () => (await messages(nats)) === 1);
      const before = await streams(nats);
      const { code, findings, about } = await runCheck('--nats', nats.url, '--data', forebay.data);
      assert.equal(code, 0);
      const stream = findings.find(({ facts }) => facts.name === 'FOREBAY')!;
      assert.match(
        stream.text,
        /FOREBAY \(orders\): settings match; 1 message, \d+ bytes, 1 replica/,
      );
      assert.match(about('spool').text, /0 orders wait/);
      assert.deepEqual(await streams(nats), before);
      assert.equal(await forebay.stop(), 0);
    });

    it('a stream with other settings fails with exit code 2, and is not changed', async (t) => {
      const nats = await start(t, version);
      await withManager(nats, (manager) =>
        manager.streams.add({ name: 'FOREBAY', subjects: ['other.>'], max_msgs: 7 }),
      );
      const before = await streams(nats);
      const data = ['--data', join(temporaryFolder(t), 'none')];
      const { code, findings } = await runCheck('--nats', nats.url, ...data);
      assert.equal(code, 2);
      const [stream] = findings.filter(({ verdict }) => verdict === 'fail');
      assert.match(stream!.text, /FOREBAY exists with subjects \["other\.>"\], expected/);
      assert.match(stream!.fix, /--nats-stream/);
      assert.deepEqual(await streams(nats), before);
    });
  });
}

describe('forebay check and the state of NATS', () => {
  const noData = (t: TestContext) => ['--data', join(temporaryFolder(t), 'none')];

  it('not reachable: fails, says what serve would do, and hides the password', async (t) => {
    const url = `nats://clerk:hunter2@127.0.0.1:${await freePort()}`;
    const spooling = await runCheck('--nats', url, ...noData(t));
    assert.equal(spooling.code, 1);
    assert.match(spooling.about('nats').text, /put orders into the spool until NATS answers/);
    assert.match(spooling.about('nats').fix, /--nats/);
    assert.match(spooling.about('guarantee').text, /^unknown: .* the spool accepts .* fsynced/);
    assert.ok(!spooling.stdout.includes('hunter2'));
    const alone = await runCheck('--nats', url, '--spool-orders-max', '0', ...noData(t));
    assert.equal(alone.code, 1);
    assert.match(alone.about('nats').text, /serve would wait and answer 503/);
  });

  it('frozen: fails', async (t) => {
    const nats = await start(t, 'nats-server');
    nats.freeze();
    const { code, about } = await runCheck('--nats', nats.url, ...noData(t));
    assert.equal(code, 1);
    assert.match(about('nats').text, /spool/);
  });

  it('a server with sync_interval: always: the guarantee is fsync', async (t) => {
    const monitorPort = await freePort();
    const nats = await NatsServer.start({ syncInterval: 'always', monitorPort });
    t.after(() => nats.stop());
    const monitor = ['--nats-monitor', `http://127.0.0.1:${monitorPort}`];
    const { code, about } = await runCheck('--nats', nats.url, ...monitor, ...noData(t));
    assert.equal(code, 0);
    assert.equal(about('guarantee').verdict, 'ok');
    assert.match(about('guarantee').text, /^fsync: NATS 2\..* fsynced before the ack/);
  });

  it('a nearly full stream is a warning', async (t) => {
    const nats = await start(t, 'nats-server');
    const forebay = await startForebay(['--nats', nats.url, '--drain', 'off'], { owner: t });
    const client = new OrderClient(forebay.url);
    for (let i = 0; i < 5; i++) assert.equal((await client.post('maksim')).status, 200);
    client.close();
    await eventually('they are in the stream', async () => (await messages(nats)) === 5);
    await withManager(nats, (manager) => manager.streams.update('FOREBAY', { max_msgs: 5 }));
    const { code, findings } = await runCheck('--nats', nats.url, '--data', forebay.data);
    assert.equal(code, 0);
    const stream = findings.find(({ facts }) => facts.name === 'FOREBAY')!;
    assert.equal(stream.verdict, 'warn');
    assert.match(stream.text, /5 messages, .* at most 5 messages/);
    assert.equal(await forebay.stop(), 0);
  });
});
