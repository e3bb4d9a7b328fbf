import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { StorageType } from '@nats-io/jetstream';
import { startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { NATS_VERSIONS, type NatsOptions, NatsServer } from '../support/nats.js';
import { eventually, metric } from '../support/orders.js';
import { withManager } from './jetstream-api.js';

/** Recreates the journal's stream with other settings. */
function recreate(nats: NatsServer, storage: StorageType): Promise<unknown> {
  return withManager(nats, async (manager) => {
    const { config } = await manager.streams.info('FOREBAY');
    await manager.streams.delete('FOREBAY');
    await manager.streams.add({ ...config, storage });
  });
}

async function shown(
  t: TestContext,
  options: NatsOptions,
  isAsked: boolean,
): Promise<{
  nats: NatsServer;
  log: () => string;
  has: (series: string) => Promise<boolean>;
}> {
  const monitorPort = await freePort();
  const nats = await NatsServer.start({ ...options, monitorPort });
  t.after(() => nats.stop());
  const monitor = isAsked ? ['--nats-monitor', `http://127.0.0.1:${monitorPort}`] : [];
  const forebay = await startForebay(['--nats', nats.url, ...monitor], { owner: t });
  return {
    nats,
    log: () => forebay.stderr,
    has: async (labels) => (await metric(forebay, `forebay_durability_info{${labels}}`)) === 1,
  };
}

describe('the guarantee in force is determined, logged and exported', () => {
  test('the local journal: fsync', async (t) => {
    const forebay = await startForebay([], { owner: t });
    assert.equal(await metric(forebay, 'forebay_durability_info{class="fsync",replicas="1"}'), 1);
  });

  test('direct mode: none', async (t) => {
    const forebay = await startForebay(['--mode', 'direct'], { owner: t });
    assert.equal(await metric(forebay, 'forebay_durability_info{class="none",replicas="0"}'), 1);
  });

  test('JetStream with sync_interval always: fsync', async (t) => {
    const { log, has } = await shown(t, { syncInterval: 'always' }, true);
    await eventually('exported', () => has('class="fsync",replicas="1"').catch(() => false));
    const told = /accepted means on disk, fsynced before the ack/;
    await eventually(
      () => `it is logged\n${log()}`,
      () => told.test(log()),
    );
  });

  for (const version of NATS_VERSIONS) {
    test(`JetStream by default, ${version}: the operating system`, async (t) => {
      const { log, has } = await shown(t, { version }, true);
      await eventually('exported', () => has('class="os",replicas="1"').catch(() => false));
      const told = /operating system, fsynced within the sync_interval.*--nats-replicas 3/;
      // NATS may not answer in time when it is asked first.
      await eventually(
        () => `it is logged\n${log()}`,
        () => told.test(log()),
      );
    });
  }

  test('a stream that is recreated in memory while in use: none, and an error in the log', async (t) => {
    const { nats, log, has } = await shown(t, { syncInterval: 'always' }, true);
    await eventually('fsync', () => has('class="fsync",replicas="1"').catch(() => false));
    await recreate(nats, StorageType.Memory);
    await eventually('none', () => has('class="none",replicas="1"').catch(() => false));
    assert.match(
      log(),
      /"level":"error".*"event":"guarantee-fell".*in memory only \(storage memory\)/,
    );
    await recreate(nats, StorageType.File);
    await eventually('fsync', () => has('class="fsync",replicas="1"').catch(() => false));
  });

  test('JetStream without monitoring: the weaker guarantee is assumed and reported', async (t) => {
    const { log, has } = await shown(t, { syncInterval: 'always' }, false);
    await eventually('exported', () => has('class="os",replicas="1"').catch(() => false));
    assert.match(log(), /the monitoring endpoint does not answer \(see --nats-monitor\)/);
  });
});
