import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspectJetStream } from '../../src/journal/jetstream/inspect.js';
import { NO_FILES } from '../../src/journal/nats/access-files.js';
import { OperatorFault } from '../../src/model/fault.js';
import { runCheck, temporaryFolder } from '../cli/check/run-check.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { type NatsOptions, NatsServer, withAccount, withPermissions } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { newFrameId } from './frames.js';
import { withManager } from './jetstream-api.js';
import { FRAMES, sourceOf } from './jetstream-opened.js';

/** A limit below what the journal needs, and what check and serve say. */
const REFUSED: readonly (readonly [string, NatsOptions, RegExp])[] = [
  [
    'max_ack_pending of the server',
    { jetstream: 'limits { max_ack_pending: 100 }' },
    /max ack pending exceeds system limit of 100; raise max_ack_pending .* at least 65536/,
  ],
  [
    'duplicate_window of the server',
    { jetstream: 'limits { duplicate_window: "60s" }' },
    /duplicates window .* 1m0s; raise duplicate_window .* at least 10m/,
  ],
  [
    'max_streams of the account',
    withAccount('jetstream { max_streams: 2 }'),
    /max_streams 2, and has 0 streams, but 5 are needed/,
  ],
  [
    'max_consumers of the account',
    withAccount('jetstream { max_consumers: 1 }'),
    /max_consumers 1, but 2 are needed/,
  ],
  [
    'max_ack_pending of the account',
    withAccount('jetstream { max_ack_pending: 100 }'),
    /max_ack_pending 100, but 65536 are needed/,
  ],
  [
    'no file storage',
    withAccount('jetstream { max_file: 0, max_mem: 10MB }'),
    /no file storage \(max_file 0\)/,
  ],
  [
    'max_bytes required',
    withAccount('jetstream { max_file: 100MB, max_bytes: true }'),
    /max_bytes required .* FOREBAY, FOREBAY_DEAD/,
  ],
  ...[
    'forebay.orders',
    'forebay.retry',
    'forebay.ledger',
    'forebay.drain',
    'forebay.foreign',
    'forebay.dead.>',
    'forebay.alive',
    '$JS.ACK.>',
    '$JS.API.INFO',
    '$JS.API.STREAM.INFO.*',
    '$JS.API.STREAM.CREATE.*',
    '$JS.API.CONSUMER.CREATE.>',
    '$JS.API.CONSUMER.MSG.NEXT.>',
    '$JS.API.STREAM.MSG.GET.*',
    '$JS.API.STREAM.MSG.DELETE.*',
  ].map(
    (subject) =>
      [
        `publish to ${subject}`,
        withPermissions(`publish: { deny: "${subject}" }`),
        new RegExp(`does not allow this user to publish to ${subjectPattern(subject)}`),
      ] as const,
  ),
  ...['forebay.alive', '_INBOX.>'].map(
    (subject) =>
      [
        `subscribe to ${subject}`,
        withPermissions(`subscribe: { deny: "${subject}" }`),
        new RegExp(`does not allow this user to subscribe to ${subjectPattern(subject)}`),
      ] as const,
  ),
];

/** Every subject that it matches begins like it. */
function subjectPattern(subject: string): string {
  return subject.replace(/[*>]$/, '').replace(/[.$]/g, '\\$&');
}

const PLACE = { natsStream: 'FOREBAY', natsReplicas: 1, natsMonitor: [], ...FRAMES, ...NO_FILES };

describe('limits of NATS below what the journal needs', () => {
  for (const [what, options, expected] of REFUSED) {
    test(`${what}: check and serve say so with exit code 2`, async (t) => {
      const server = await NatsServer.prepare(options);
      t.after(() => server.stop());
      await server.start({ answers: 'any' });
      const { refusal, fault } = await inspectJetStream({ ...PLACE, nats: [server.url] });
      assert.equal(fault, '');
      assert.match(refusal, expected);
      const place = { servers: [server.url], stream: 'FOREBAY' };
      const parts = { newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log: () => {} };
      const source = sourceOf(place, parts);
      try {
        await assert.rejects(source.ready, (error) => {
          assert.ok(error instanceof OperatorFault, String(error));
          assert.equal(error.exitCode, 2);
          assert.match(error.message, expected);
          return true;
        });
      } finally {
        await source.close();
      }
    });
  }

  test('the commands exit with code 2, in one line, and check leaves nothing behind', async (t) => {
    const server = await NatsServer.start({ jetstream: 'limits { max_ack_pending: 100 }' });
    t.after(() => server.stop());
    const flags = ['--nats', server.url, '--data', temporaryFolder(t)];
    const checked = await runCheck(...flags);
    assert.equal(checked.code, 2);
    assert.match(checked.about('nats limits').text, /at least 65536/);
    await withManager(server, async ({ streams }) => {
      assert.equal((await streams.list().next()).length, 0);
    });
    const free = ['--port', '0', '--admin-port', '0'];
    const served = await runForebay(['serve', ...flags, ...free]);
    assert.equal(served.code, 2);
    assert.match(served.stderr, /^forebay: NATS refuses .* at least 65536$/m);
  });

  test('check leaves no stream behind for a user that may not delete one', async (t) => {
    const publish = 'deny: "$JS.API.STREAM.DELETE.>"';
    const server = await NatsServer.start(withPermissions(`publish: { ${publish} }`));
    t.after(() => server.stop());
    const { refusal } = await inspectJetStream({ ...PLACE, nats: [server.url] });
    assert.equal(refusal, '');
    await withManager(server, async ({ streams }) => {
      assert.equal((await streams.list().next()).length, 0);
    });
  });

  test('with --drain off, a user may do less', async (t) => {
    const publish = 'deny: ["$JS.ACK.>", "$JS.API.CONSUMER.MSG.NEXT.>", "forebay.retry"]';
    const server = await NatsServer.start(withPermissions(`publish: { ${publish} }`));
    t.after(() => server.stop());
    const places = { ...PLACE, nats: [server.url] };
    assert.match((await inspectJetStream(places)).refusal, /publish to forebay\.retry/);
    assert.equal((await inspectJetStream({ ...places, drain: false })).refusal, '');
    const forebay = await startForebay(['--nats', server.url, '--drain', 'off'], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    assert.equal((await client.post('kept')).status, 200);
    assert.equal(await forebay.stop(), 0);
  });

  test('an account without JetStream: exit code 2', async (t) => {
    const server = await NatsServer.prepare(withAccount(''));
    t.after(() => server.stop());
    await server.start({ answers: 'any' });
    const { refusal } = await inspectJetStream({ ...PLACE, nats: [server.url] });
    assert.match(refusal, /JetStream not enabled for account; enable JetStream/);
  });

  test('max_bytes required, and streams that the operator has created: all is well', async (t) => {
    const server = await NatsServer.start();
    t.after(() => server.stop());
    const first = await startForebay(['--nats', server.url], { owner: t });
    assert.equal(await first.stop(), 0);
    await withManager(server, async ({ streams }) => {
      for (const name of ['', '_DEAD', '_LEDGER', '_DRAIN', '_FOREIGN']) {
        await streams.update(`FOREBAY${name}`, { max_bytes: 50_000_000 });
      }
    });
    server.configure(withAccount('jetstream { max_file: 1GB, max_bytes: true }'));
    const { refusal, declared } = await inspectJetStream({ ...PLACE, nats: [server.url] });
    assert.equal(refusal, '');
    assert.deepEqual(
      declared.map(({ difference }) => difference),
      ['', '', '', '', '', '', ''],
    );
  });

  test('max_request_batch: smaller requests, also when it is lowered while orders flow', async (t) => {
    const server = await NatsServer.start({ jetstream: 'limits { max_request_batch: 3 }' });
    t.after(() => server.stop());
    const forebay = await startForebay(['--nats', server.url], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    const done = () => metric(forebay, 'work_done_total{status="done"}');
    await client.postAll(Array.from({ length: 40 }, (_, i) => `first-${i}`));
    await eventually('all are done', async () => (await done()) === 40);
    server.configure({ jetstream: 'limits { max_request_batch: 1 }' });
    server.reload();
    await client.postAll(Array.from({ length: 40 }, (_, i) => `second-${i}`));
    await eventually('all are done', async () => (await done()) === 80);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('fewer connections than threads', () => {
  test('check warns, orders go through the spool, and the reason is shown', async (t) => {
    const server = await NatsServer.prepare({ settings: 'max_connections: 2' });
    t.after(() => server.stop());
    await server.start({ answers: 'nothing' });
    const flags = ['--nats', server.url, '--threads', '2'];
    const checked = await runCheck(...flags, '--data', temporaryFolder(t));
    assert.equal(checked.code, 0);
    const { text, verdict, fix } = checked.about('nats connections');
    assert.equal(verdict, 'warn');
    // On a busy machine the server may refuse so late that the client only knows that its time is over.
    assert.match(
      text,
      /^3 connections are needed, [12] are refused: .*(maximum connections exceeded|timeout)/,
    );
    assert.match(fix, /max_connections/);
    const forebay = await startForebay(flags, { owner: t });
    await eventually('the reason is shown', async () => {
      const answer = await fetch(new URL('/readyz', forebay.adminUrl));
      return /orders go to the spool: .*maximum connections exceeded/.test(await answer.text());
    });
    assert.equal(await metric(forebay, 'forebay_journal_degraded'), 1);
    assert.equal(await forebay.stop(), 0);
  });
});

describe('what an operator changes in NATS while Forebay runs', () => {
  async function readyz(adminUrl: string): Promise<{ status: string; degraded?: string[] }> {
    const answer = await fetch(new URL('/readyz', adminUrl));
    return (await answer.json()) as { status: string; degraded?: string[] };
  }

  test('a permission: orders are kept, the reason is shown, and they are processed when it is back', async (t) => {
    const allowed = withPermissions('publish: { deny: "other" }');
    const server = await NatsServer.start(allowed);
    t.after(() => server.stop());
    const forebay = await startForebay(['--nats', server.url], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    assert.equal((await client.post('before')).status, 200);
    server.configure(withPermissions('publish: { deny: "forebay.orders" }'));
    server.reload();
    await eventually('the reason is shown', async () => {
      assert.equal((await client.post('denied')).status, 200);
      const { degraded = [] } = await readyz(forebay.adminUrl);
      return /Publish to "forebay\.orders"/.test(degraded.join());
    });
    server.configure(allowed);
    server.reload();
    await eventually('all is well', async () => {
      const { degraded = [] } = await readyz(forebay.adminUrl);
      const pending = await metric(forebay, 'forebay_journal_pending_orders');
      return degraded.length === 0 && pending === 0;
    });
    assert.equal(await forebay.stop(), 0);
  });

  test('a setting of a stream: degraded with the setting, in metric and log, until it is right', async (t) => {
    const server = await NatsServer.start();
    t.after(() => server.stop());
    const forebay = await startForebay(['--nats', server.url], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    await withManager(server, ({ streams }) => streams.update('FOREBAY', { no_ack: true }));
    await eventually('the setting is shown', async () => {
      const { status, degraded = [] } = await readyz(forebay.adminUrl);
      return status === 'ready' && /FOREBAY exists with no_ack true/.test(degraded.join());
    });
    // An intake thread can see it before the drain thread, which logs it.
    const logged = /journal-broken.*no_ack true|no_ack true.*journal-broken/;
    await eventually('it is logged', () => logged.test(forebay.stderr));
    assert.equal(await metric(forebay, 'forebay_journal_degraded'), 1);
    assert.equal((await client.post('meanwhile')).status, 200);
    await withManager(server, ({ streams }) => streams.update('FOREBAY', { no_ack: false }));
    await eventually('all is well', async () => {
      const isWell = (await metric(forebay, 'forebay_journal_degraded')) === 0;
      return isWell && (await metric(forebay, 'work_done_total{status="done"}')) === 1;
    });
    assert.equal(await forebay.stop(), 0);
  });

  test('a consumer is paused: orders wait, with the reason and the fix; check agrees', async (t) => {
    const server = await NatsServer.start();
    t.after(() => server.stop());
    const forebay = await startForebay(['--nats', server.url], { owner: t });
    const client = new OrderClient(forebay.url);
    t.after(async () => client.close());
    const until = new Date(Date.now() + 3_600_000);
    await withManager(server, (m) => m.consumers.pause('FOREBAY', 'forebay-drain', until));
    assert.equal((await client.post('waits')).status, 200);
    await eventually('the pause is shown', async () => {
      const { degraded = [] } = await readyz(forebay.adminUrl);
      return /paused until .*nats consumer resume FOREBAY forebay-drain/.test(degraded.join());
    });
    const { code, findings } = await runCheck('--nats', server.url, '--data', temporaryFolder(t));
    assert.equal(code, 1);
    assert.ok(findings.some(({ verdict, text }) => verdict === 'fail' && /paused/.test(text)));
    await withManager(server, (m) => m.consumers.resume('FOREBAY', 'forebay-drain'));
    await eventually('it is done', async () => {
      return (await metric(forebay, 'work_done_total{status="done"}')) === 1;
    });
    assert.equal(await forebay.stop(), 0);
  });
});
