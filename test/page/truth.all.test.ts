import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { ledgerHandler } from '../drain/handlers.js';
import { launchBrowser } from '../support/browser.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { LivePage, numberIn } from './live-page.js';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

function clientOf(t: TestContext, { url }: ForebayProcess): OrderClient {
  const client = new OrderClient(url);
  t.after(async () => client.close());
  return client;
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

/** The tiles in one moment. */
async function tilesOf({ page }: LivePage): Promise<Record<string, [string, string]>> {
  const script = `Object.fromEntries(Array.from(document.querySelectorAll('.tile'), (tile) => [
    tile.querySelector('dt').textContent,
    [tile.querySelector('.figure').textContent, tile.querySelector('.note').textContent],
  ]))`;
  return (await page.evaluate(script)) as Record<string, [string, string]>;
}

/** The rates in the note of the time left: out and in. */
function ratesIn(note: string): [out: number, accepted: number] {
  const found = /^([\d.,]+)\/s out, ([\d.,]+)\/s in$/.exec(note);
  assert.ok(found !== null, note);
  return [numberIn(found[1]!), numberIn(found[2]!)];
}

describe('the live page tells the truth', () => {
  it('the time left is the backlog divided by the rates below it, and comes true', async (t) => {
    const server = await startForebay(['--drain-rate', '20'], { owner: t });
    const client = clientOf(t, server);
    const live = await LivePage.open(browser, server);
    const posts = client.postAll(names('user', 300));
    let growing = '';
    await eventually('it grows', async () => {
      const [left, note] = (await tilesOf(live))['Time left to drain']!;
      growing = note;
      return left === 'growing';
    });
    const [out, accepted] = ratesIn(growing);
    assert.ok(accepted > out, growing);
    await posts;
    let tiles = await tilesOf(live);
    // Three seconds without a new order.
    await eventually('no new orders', async () => {
      tiles = await tilesOf(live);
      return tiles['Time left to drain']![1].endsWith(' 0/s in');
    });
    const [left, note] = tiles['Time left to drain']!;
    const [leaving] = ratesIn(note);
    const backlog = numberIn(tiles.Backlog![0]);
    const seconds = backlog / leaving;
    // The page rounds both.
    assert.ok(
      Math.abs(numberIn(left) - seconds) <= 0.6 + seconds * 0.05,
      `${left}, not ${seconds}`,
    );
    assert.ok(leaving <= 20.5, `${leaving}/s at a drain rate of 20`);
    assert.equal(await live.value('work', 'drain rate'), '20/s');
    await eventually(
      'empty',
      async () => (await tilesOf(live))['Time left to drain']![0] === '0 s',
    );
    assert.equal(await metric(server, 'work_done_total{status="done"}'), 300);
    assert.deepEqual(live.complaints, []);
  });

  it('under a schedule, the time left is what its rates give', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'forebay-page-schedule-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'drain.schedule');
    await writeFile(file, '00:00-24:00 UTC 5/s\n');
    const server = await startForebay(['--drain-schedule', file], { owner: t });
    const client = clientOf(t, server);
    const live = await LivePage.open(browser, server);
    await client.postAll(names('user', 900));
    let seen = '';
    await eventually(
      () => seen,
      async () => {
        const { Backlog, 'Time left to drain': left } = await tilesOf(live);
        seen = `${Backlog![0]} orders in ${left!.join(', ')}`;
        const seconds = numberIn(Backlog![0]) / 5;
        const isNear = Math.abs(numberIn(left![0]) - seconds) < 0.1 * seconds;
        return isNear && /^by (?:[\d-]{10} )?\d\d:\d\d, under the schedule$/.test(left![1]);
      },
    );
  });

  it('with NATS: the durability is that of the spool while orders go there', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const server = await startForebay(['--nats', nats.url], { owner: t });
    const client = clientOf(t, server);
    const live = await LivePage.open(browser, server);
    const durability = async () => (await tilesOf(live)).Durability![0];
    const series = (name: string) =>
      metric(server, `forebay_durability_info{class="${name}",replicas="1"}`);
    await eventually('NATS has answered', async () => (await durability()) === 'os');
    await nats.kill();
    assert.equal((await client.post('ada')).status, 200);
    await eventually('spool', async () => (await durability()) === 'spool');
    assert.equal(await series('spool'), 1);
    const { Durability } = await tilesOf(live);
    assert.equal(Durability![1], 'only on the disk of this instance');
    // The class may be of a row that is older than the order.
    await eventually('spooled', async () => (await tilesOf(live)).Spool![1] === '0 of 1 forwarded');
    await nats.start();
    await eventually('NATS has it', async () => (await durability()) === 'os');
    assert.equal(await series('os'), 1);
    await eventually(
      'forwarded',
      async () => (await tilesOf(live)).Spool![1] === '1 of 1 forwarded',
    );
  });

  it('a frozen NATS that is still connected: the durability is that of the spool too', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const server = await startForebay(['--nats', nats.url, '--commit-ms-max', '500'], { owner: t });
    const client = clientOf(t, server);
    const live = await LivePage.open(browser, server);
    await eventually(
      'NATS has answered',
      async () => (await tilesOf(live)).Durability![0] === 'os',
    );
    nats.freeze();
    await eventually('spool', async () => {
      assert.equal((await client.post('ada')).status, 200);
      await sleep(100);
      return (await tilesOf(live)).Durability![0] === 'spool';
    });
    nats.thaw();
    await eventually('NATS has it', async () => (await tilesOf(live)).Durability![0] === 'os');
  });

  it('the log has the latest lines, without what a handler says of an order', async (t) => {
    const body = "throw new Error('card of ' + orders[0].data.username + ' is declined');";
    const handler = await ledgerHandler(t, body);
    const flags = ['--handler', handler.file, '--attempts-max', '1'];
    const failing = await startForebay(flags, { owner: t });
    const client = clientOf(t, failing);
    const live = await LivePage.open(browser, failing);
    const { id } = await client.post('Ada-Lovelace');
    const lines = async () => (await live.text('#log ol')) ?? '';
    await eventually('the dead letter is there', async () => (await lines()).includes(id));
    assert.match(await lines(), /ready.*the server accepts orders/);
    assert.match(await lines(), /handler-threw/);
    assert.doesNotMatch(await live.text('body'), /Ada|declined/);
    const newestFirst = await live.page
      .locator('#log time')
      .evaluateAll((all) => all.map((time) => (time as unknown as { dateTime: string }).dateTime));
    assert.deepEqual(newestFirst, newestFirst.toSorted().toReversed());
    await eventually('counted', async () => (await tilesOf(live))['Dead letters']![0] === '1');
  });

  it('no range is wider than the history, and each shows exactly what it says', async (t) => {
    const server = await startForebay([], { owner: t });
    const live = await LivePage.open(browser, server);
    const ranges = () => live.page.locator('form label:visible').allTextContents();
    assert.deepEqual(await ranges(), ['1 min']);
    // The stream of a server that has run for 400 s.
    const body = await longStream(server, 400);
    await live.page.route('**/live?*', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body }),
    );
    await live.page.reload();
    await eventually('7 min', async () => (await ranges()).at(-1) === '7 min');
    assert.deepEqual(await ranges(), ['2 min', '5 min', '7 min']);
    const oldest = () => live.page.locator('#requests .chart').getAttribute('aria-valuemin');
    assert.equal(await oldest(), '-399');
    await live.page.getByText('2 min', { exact: true }).click();
    assert.equal(await oldest(), '-119');
  });
});

/** The events of `/live`, with the first row repeated for each of the last `seconds`. */
async function longStream({ adminUrl }: ForebayProcess, seconds: number): Promise<string> {
  const reader = (await fetch(`${adminUrl}/live`))
    .body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  while (!/event: rows\ndata: .*\n\n/.test(text)) text += (await reader.read()).value ?? '';
  await reader.cancel();
  const [hello] = /event: hello\ndata: .*\n\n/.exec(text)!;
  const data = JSON.parse(/event: rows\ndata: (.*)\n/.exec(text)![1]!);
  const row = { ...data.rows[0], spanMs: 1000 };
  const rows = Array.from({ length: seconds }, (_, i) => ({
    ...row,
    atMs: row.atMs - (seconds - 1 - i) * 1000,
  }));
  return `${hello}event: rows\ndata: ${JSON.stringify({ ...data, rows })}\n\n`;
}
