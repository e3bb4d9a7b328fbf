import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { runWave, type WaveSummary } from '../../drills/wave/command.js';
import { launchBrowser } from '../support/browser.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, OrderClient } from '../support/orders.js';
import { LivePage, samples } from './live-page.js';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

function wave(
  { url, adminUrl }: ForebayProcess,
  mode: 'queue' | 'direct',
  drainRate: number,
): Promise<WaveSummary> {
  const sine = { minRps: 0, maxRps: 100, periodS: 6, periods: 1 };
  const orders = { path: '/orders', body: '', bodyFile: '', adminToken: null };
  const limits = { rpsLimit: 50, drainRate, settleS: 3 };
  const options = { url, adminUrl, mode, wave: sine, ...orders, ...limits };
  return runWave(options, { write: () => {} });
}

describe('the live page in Chromium', () => {
  it('every panel agrees with /metrics, during and after a wave in queue mode', async (t) => {
    const errors = ['--error-rate', '0.05', '--attempts-max', '1'];
    const server = await startForebay(['--drain-rate', '60', '--threads', '2', ...errors], {
      owner: t,
    });
    const live = await LivePage.open(browser, server);
    assert.match(await live.text('#answers .empty'), /No requests/);
    assert.match(await live.text('#work .empty'), /No order/);
    const driving = wave(server, 'queue', 60);
    await live.reaches('requests', 'requests', 50);
    const driven = await driving;
    assert.equal(driven.created, driven.offered);
    const compared = await live.showsMetrics(server);
    assert.deepEqual([...compared].toSorted(), [
      'answers',
      'frames',
      'requests',
      'threads',
      'tiles',
      'work',
    ]);
    const metrics = await samples(server);
    assert.ok(metrics.get('forebay_dead_letters')! > 0, 'the wave left dead letters');
    for (const [panel, color] of [
      ['answers', 'ok'],
      ['work', 'done'],
      ['work', 'refused'],
      ['backlog', 'backlog'],
      ['backlog', 'age'],
      ['requests', 'rate'],
      ['frames', 'load'],
      ['threads', 'load'],
      ['latency', 'heat-4'],
    ] as const) {
      assert.ok((await live.pixels(panel, color)) > 2, `${panel} has no ${color} in it`);
    }
    // The server is younger than the time shown, so the heatmaps contain all its measurements.
    const answered = metrics.get('forebay_http_request_duration_seconds_count');
    assert.equal(await live.number('latency', 'counted'), answered);
    await live.page.getByText('until done').click();
    const done = metrics.get('forebay_order_age_seconds_count');
    assert.equal(await live.number('latency', 'counted'), done);
    assert.ok((await live.pixels('latency', 'heat-4')) > 2);

    const late = await LivePage.open(browser, server);
    assert.equal(await late.number('latency', 'counted'), answered, 'the history is loaded');
    assert.ok((await late.pixels('answers', 'ok')) > 100);
    assert.deepEqual([live.complaints, late.complaints], [[], []]);
  });

  it('direct mode: shows the red band, the limit, and no queue', async (t) => {
    const server = await startForebay(['--mode', 'direct'], { owner: t });
    const live = await LivePage.open(browser, server, { colorScheme: 'dark' });
    const driven = await wave(server, 'direct', 0);
    await live.showsMetrics(server);
    assert.ok(driven.refused > 0);
    assert.ok((await live.pixels('answers', 'refused')) > 100, 'no red band');
    assert.ok((await live.pixels('answers', 'ok')) > 100, 'no green wave');
    assert.ok((await live.pixels('requests', 'limit')) > 2, 'no line at the limit');
    assert.equal(await live.value('requests', 'limit'), '50/s');
    assert.deepEqual(await live.tiles(), [
      'Requests',
      'Refused',
      'Work done',
      'Response p99',
      'Handler p99',
      'Durability',
      'Memory',
    ]);
    assert.equal(await live.page.locator('#backlog').isVisible(), false);
    assert.equal(await live.page.getByText('commit', { exact: true }).isVisible(), false);
    assert.deepEqual(live.complaints, []);
  });

  it('shows the size and age of a backlog that is not drained', async (t) => {
    const server = await startForebay(['--drain', 'off'], { owner: t });
    const client = new OrderClient(server.url);
    t.after(async () => client.close());
    for (let i = 0; i < 40; i++) assert.equal((await client.post(`user-${i}`)).status, 200);
    const live = await LivePage.open(browser, server);
    await live.showsMetrics(server);
    assert.equal(await live.value('backlog', 'waiting'), '40');
    assert.match(await live.text('#tiles'), /Backlog40oldest/);
    assert.match(await live.text('#tiles'), /Time left to drain(not shrinking|growing)/);
    // An area needs two rows.
    await eventually('drawn', async () => (await live.pixels('backlog', 'backlog')) > 2);
    assert.deepEqual(live.complaints, []);
  });
});
