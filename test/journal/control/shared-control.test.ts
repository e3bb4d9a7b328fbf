import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SharedControl } from '../../../src/journal/control/shared-control.js';
import { openJetStreamSource } from '../../../src/journal/jetstream/open.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';
import { NatsServer } from '../../support/nats.js';
import { eventually } from '../../support/orders.js';
import { withManager } from '../jetstream-api.js';
import { FRAMES, NO_SETTING } from '../jetstream-opened.js';

const RATE = 90;
const STREAM = 'FOREBAY_DRAIN';

interface Opened {
  readonly control: SharedControl;
  readonly close: () => Promise<void>;
  readonly data: string;
}

/** An instance that drains, or only takes orders. It has work for all slots from the start. */
function open(
  t: TestContext,
  server: NatsServer,
  { rate = RATE, drains = true, data = mkdtempSync(join(tmpdir(), 'forebay-shares-')) } = {},
): Opened {
  const store = new LocalStore(data);
  const opened = openJetStreamSource(
    { servers: [server.url], stream: 'FOREBAY', replicas: 1, frames: FRAMES, drains },
    store,
    {
      acceptedOrders: () => 0,
      retryMsMax: 60_000,
      log: () => {},
      closeMsMax: 2000,
      onForeign: () => {},
    },
    { commitMsMax: 1000, drainSetting: { ...NO_SETTING, rate } },
  );
  opened.control.allowance.want(drains ? Number.POSITIVE_INFINITY : 0);
  let closed: Promise<void> | null = null;
  const close = async () => {
    await opened.close();
    await store.close();
  };
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  t.after(async () => {
    await closeOnce();
    rmSync(data, { recursive: true, force: true });
  });
  return { control: opened.control, close: closeOnce, data };
}

const slotsOf = (all: readonly Opened[]) => all.map(({ control }) => control.allowance.slots);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

async function start(t: TestContext, instances: number): Promise<[NatsServer, Opened[]]> {
  const server = await NatsServer.start();
  t.after(() => server.stop());
  const all = Array.from({ length: instances }, () => open(t, server));
  await sharedBy(all, RATE);
  return [server, all];
}

/** Waits until the instances have equal parts of the rate. */
async function sharedBy(all: readonly Opened[], rate: number): Promise<void> {
  await eventually(
    () => `equal parts of ${rate}: ${slotsOf(all)}`,
    () => slotsOf(all).every((slots) => slots === rate / all.length),
  );
}

/** Notes the most slots that all had at a time. */
function watch(all: readonly Opened[]): { most: () => number } {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, sum(slotsOf(all)));
  }, 2);
  return {
    most: () => {
      clearInterval(timer);
      return most;
    },
  };
}

describe('instances on one stream', () => {
  test('a change by one is in force on all, with who and why; a pause stops all', async (t) => {
    const [, all] = await start(t, 3);
    const [one, two, three] = all as [Opened, Opened, Opened];
    const seen: string[] = [];
    three.control.onChange((now, before) => seen.push(`${before.rate} ${now.rate} ${now.by}`));
    await two.control.change({ rate: 30, by: 'ann@desk' });
    await sharedBy(all, 30);
    assert.deepEqual(seen, ['90 30 ann@desk']);
    await one.control.change({ pause: 'the bank is closed', by: 'bob' });
    await eventually('all are paused', () => sum(slotsOf(all)) === 0);
    await eventually('all know why', () => three.control.setting.pause === 'the bank is closed');
    await three.control.change({ pause: null, by: 'bob' });
    await sharedBy(all, 30);
    await one.control.change({ rate: 0, by: 'ann@desk' });
    await sharedBy(all, Number.POSITIVE_INFINITY);
    await one.control.change({ rate: 60, by: 'ann@desk' });
    await sharedBy(all, 60);
    assert.equal(one.control.instances().length, 3);
    await eventually(
      'one knows all shares',
      () => sum(one.control.instances().map(({ share }) => share)) === 60,
    );
    assert.equal(one.control.instances().filter(({ isSelf }) => isSelf).length, 1);
  });

  test('one that comes gets its part, one that stops leaves it to the others', async (t) => {
    const [server, all] = await start(t, 2);
    const third = open(t, server);
    const watched = watch([...all, third]);
    await sharedBy([...all, third], RATE);
    await third.close();
    await sharedBy(all, RATE);
    assert.ok(watched.most() <= RATE, `${watched.most()} slots`);
  });

  test('one without work leaves its slots to the others', async (t) => {
    const [, all] = await start(t, 3);
    const [one, two, three] = all as [Opened, Opened, Opened];
    one.control.allowance.want(0);
    await sharedBy([two, three], RATE);
    one.control.allowance.want(Number.POSITIVE_INFINITY);
    await sharedBy(all, RATE);
  });

  test('the register is deleted: the setting is back, and never are there too many slots', async (t) => {
    const [server, all] = await start(t, 3);
    await all[0]!.control.change({ rate: 60, by: 'ann' });
    await sharedBy(all, 60);
    const watched = watch(all);
    await withManager(server, ({ streams }) => streams.delete(STREAM));
    await eventually('nobody has slots', () => sum(slotsOf(all)) === 0);
    await sharedBy(all, 60);
    assert.equal(all[1]!.control.setting.by, 'ann');
    assert.ok(watched.most() <= 60, `${watched.most()} slots`);
  });

  test('the message is damaged: it is replaced', async (t) => {
    const [server, all] = await start(t, 2);
    const { connect } = await import('@nats-io/transport-node');
    const nc = await connect({ servers: server.url });
    nc.publish('forebay.drain', 'nonsense');
    await nc.flush();
    await nc.close();
    await eventually('nobody has slots', () => sum(slotsOf(all)) === 0);
    await sharedBy(all, RATE);
  });

  test('NATS refuses messages: shares stay, a change is refused in one line', async (t) => {
    const [server, all] = await start(t, 2);
    const limit = (bytes: number) =>
      withManager(server, ({ streams }) => streams.update(STREAM, { max_msg_size: bytes }));
    await limit(10);
    await assert.rejects(all[0]!.control.change({ rate: 30, by: 'ann' }), (error: Error) => {
      assert.match(error.message, /^the drain setting cannot be kept: NATS: [^\n]+$/);
      return true;
    });
    // Longer than a lease.
    await sleep(4000);
    assert.deepEqual(slotsOf(all), [45, 45]);
    await limit(1024 * 1024);
    await all[0]!.control.change({ rate: 30, by: 'ann' });
    await sharedBy(all, 30);
  });

  test('NATS is away: no slots after the lease; a change is refused; all is back with NATS', async (t) => {
    const [server, all] = await start(t, 2);
    await server.kill();
    await eventually('no slots', () => sum(slotsOf(all)) === 0);
    await assert.rejects(
      all[0]!.control.change({ rate: 30, by: 'ann' }),
      /^Error: [^\n]*NATS[^\n]*$/,
    );
    await server.start();
    await sharedBy(all, RATE);
  });

  test('one that takes orders only has no share, and can steer the others', async (t) => {
    const [server, all] = await start(t, 2);
    const idle = open(t, server, { drains: false });
    await eventually('it knows the setting', () => idle.control.setting.rate === RATE);
    await eventually('it knows the others', () => idle.control.instances().length === 3);
    await idle.control.change({ rate: 30, by: 'ann' });
    await sharedBy(all, 30);
    assert.equal(idle.control.allowance.slots, 0);
  });

  test('one that starts again has its share back, and not before its last window is over', async (t) => {
    const [server, all] = await start(t, 1);
    await all[0]!.close();
    const startedMs = performance.now();
    const again = open(t, server, { data: all[0]!.data });
    await eventually('it has slots', () => again.control.allowance.slots === RATE);
    assert.ok(performance.now() - startedMs >= 1000);
  });

  test('needs that change all the time cost few writes', async (t) => {
    const [server, all] = await start(t, 3);
    const lastSeq = () =>
      withManager(server, async ({ streams }) => (await streams.info(STREAM)).state.last_seq);
    const before = await lastSeq();
    const beganMs = performance.now();
    for (let i = 0; i < 60; i++) {
      for (const [at, { control }] of all.entries()) {
        control.allowance.want((i + at) % 3 === 0 ? Number.POSITIVE_INFINITY : 0);
      }
      await sleep(100);
    }
    const seconds = (performance.now() - beganMs) / 1000;
    const writes = (await lastSeq()) - before;
    assert.ok(writes <= 3 * (6 + 2 * seconds), `${writes} writes in ${seconds} s`);
  });
});
