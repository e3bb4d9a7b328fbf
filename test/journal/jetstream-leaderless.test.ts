import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openJetStreamAppender, openJetStreamSource } from '../../src/journal/jetstream/open.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { startNatsCluster } from '../support/nats-cluster.js';
import { eventually } from '../support/orders.js';
import { fresh, NOTHING, take, takeFor, until } from './frames.js';
import { FRAMES, NO_SETTING } from './jetstream-opened.js';

it('a cluster without a leader is asked a few times per second, and orders continue when it has one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-leaderless-'));
  const nodes = await startNatsCluster(t, folder, 3);
  const [alive, ...others] = nodes;
  const place = { servers: [alive!.url], stream: 'LEADERLESS', replicas: 3, frames: FRAMES };
  const store = new LocalStore(join(folder, 'data'));
  const parts = {
    acceptedOrders: () => 0,
    retryMsMax: 60_000,
    closeMsMax: 2000,
    onForeign: () => {},
    log: () => {},
  };
  const opened = openJetStreamSource(place, store, parts, {
    commitMsMax: 1000,
    drainSetting: NO_SETTING,
  });
  const appender = openJetStreamAppender(place, { commitMsMax: 10_000, retries: true }, () => {});
  t.after(async () => {
    await Promise.all([appender.close(), opened.close()]);
    await store.close();
    // Last: this fails while something still writes there, and later steps would not run.
    rmSync(folder, { recursive: true });
  });
  const { source } = opened;
  await Promise.all([source.ready, appender.ready]);

  const abort = new AbortController();
  const pulling = source.pull(1, abort.signal);
  await Promise.all(others.map((node) => node.kill9()));
  await until(() => source.reason.includes('does not serve'), 'it says that nobody serves');
  const messages = async () => {
    const answer = await fetch(`${alive!.monitorUrl}/varz`);
    return ((await answer.json()) as { in_msgs: number }).in_msgs;
  };
  const asked = await messages();
  await sleep(3000);
  assert.ok((await messages()) - asked < 500);

  await Promise.all(others.map((node) => node.start()));
  await alive!.healthy();
  abort.abort();
  assert.deepEqual(await pulling, []);
  const frame = fresh(2);
  await appender.commit(frame);
  const [delivery] = await take(source, 1);
  assert.equal(delivery!.frame.id, frame.id);
  await delivery!.settle(NOTHING);
  // According to a source that keeps pulling.
  await eventually('all is well again', async () => {
    await takeFor(source, 300);
    return source.reason === '';
  });
});
