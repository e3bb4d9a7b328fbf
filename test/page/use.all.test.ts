import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { eventually, OrderClient } from '../support/orders.js';
import { focused, lowContrasts } from './in-page.js';
import { LivePage } from './live-page.js';

let browser: Browser;
/** The server for the tests that do not stop it. */
let server: ForebayProcess;
before(async () => {
  browser = await launchBrowser();
  server = await startForebay(['--threads', '2', '--workers', '2']);
  await post(server, 30);
});
after(async () => {
  await browser?.close();
  await server?.kill9();
});

async function post({ url }: ForebayProcess, orders: number): Promise<void> {
  const client = new OrderClient(url);
  try {
    for (let i = 0; i < orders; i++) {
      assert.equal((await client.post(`user-${i}`)).status, 200);
    }
  } finally {
    client.close();
  }
}

/** Waits until the selected time is two seconds older relative to the newest row. */
async function twoSecondsPass({ page }: LivePage): Promise<void> {
  const ago = async () => -Number(await page.getAttribute('#work .chart', 'aria-valuenow'));
  const before = await ago();
  await eventually('two seconds pass', async () => (await ago()) >= before + 2);
}

describe('using the live page', () => {
  it('survives a restart of the server: reports the loss, reconnects, and keeps its rows', async (t) => {
    const ports = ['--port', `${await freePort()}`, '--admin-port', `${await freePort()}`];
    const data = await mkdtemp(join(tmpdir(), 'forebay-page-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const first = await startForebay(ports, { owner: t, data });
    await post(first, 20);
    const live = await LivePage.open(browser, first);
    await live.showsMetrics(first);
    await live.page.locator('#answers .chart').press('Home');
    const firstSecond = await live.text('#when');
    await live.page.keyboard.press('Escape');
    const stopped = await first.stop();
    assert.equal(stopped, 0, 'an open page does not prevent an ordered stop');
    await live.is('lost');
    assert.match(await live.text('#connection'), /^Connection lost at .*Reconnecting/);
    const second = await startForebay(ports, { owner: t, data });
    await post(second, 7);
    await live.is('live');
    await live.showsMetrics(second);
    // Σ and the counted requests are of the second process, also while the charts still show the first.
    assert.equal(await live.number('latency', 'counted'), 7);
    const total = live.page.locator('#answers .item', { hasText: '200' }).locator('.total');
    assert.equal(await total.textContent(), '7');
    assert.ok((await live.pixels('answers', 'ok')) > 2);
    await live.page.locator('#answers .chart').press('Home');
    assert.equal(await live.text('#when'), firstSecond);
    await live.page.keyboard.press('Escape');
    // The charts of the second process replace those of the first and have their size.
    await live.page.setViewportSize({ width: 2560, height: 1440 });
    await live.page.waitForTimeout(300);
    assert.equal(await live.page.locator('.uplot').count(), 6);
    // By the server that was there, and by the one that is not.
    const ofRestart = /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE/;
    assert.deepEqual(
      live.complaints.filter((text) => !ofRestart.test(text)),
      [],
    );
  });

  it('can be used by keyboard alone, with a visible focus', async () => {
    const { page } = await LivePage.open(browser, server);
    const reached: string[] = [];
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const { what, isVisible } = await page.evaluate(focused);
      if (what === '') break;
      assert.ok(isVisible, `no focus to be seen on ${what}`);
      reached.push(what);
    }
    const charts = ['answers', 'work', 'backlog', 'latency', 'requests', 'frames'];
    for (const what of [
      'page span',
      'page theme',
      ...charts.map((id) => `${id} chart`),
      'latency latency',
      'threads scroll',
      'log scroll',
      'page a',
    ]) {
      assert.ok(reached.includes(what), `${what} is not among ${reached.join(', ')}`);
    }
  });

  it('the arrow keys move the cursor by a second, and the values are available as text', async () => {
    const live = await LivePage.open(browser, server);
    const chart = live.page.locator('#answers .chart');
    const words = () => chart.getAttribute('aria-valuetext').then(String);
    assert.match(await words(), /^now: 200 .*\/s total \d+, 500 0\/s total 0, 503 0\/s total 0$/);
    await chart.focus();
    await live.page.keyboard.press('Home');
    const first = await live.text('#when');
    assert.match(first, /^Values at \d\d:\d\d:\d\d$/);
    assert.match(await words(), /^at \d\d:\d\d:\d\d: 200 /);
    // New rows arrive meanwhile: the selected time stays.
    await twoSecondsPass(live);
    assert.equal(await live.text('#when'), first);
    // On a machine that stalls, two rows can be of one second.
    let second = first;
    for (let presses = 0; second === first && presses < 5; presses++) {
      await live.page.keyboard.press('ArrowRight');
      second = await live.text('#when');
    }
    assert.match(second, /^Values at \d\d:\d\d:\d\d$/);
    assert.notEqual(second, first);
    // The other charts show the same time.
    const other = await live.page.locator('#work .chart').getAttribute('aria-valuetext');
    assert.equal(other!.split(': ')[0], (await words()).split(': ')[0]);
    await live.page.keyboard.press('Escape');
    assert.equal(await live.text('#when'), '');
  });

  it('the pointer selects a second, which stays selected until the pointer moves', async () => {
    const live = await LivePage.open(browser, server);
    const box = (await live.page.locator('#answers .u-over').boundingBox())!;
    const y = box.y + box.height / 2;
    await live.page.mouse.move(box.x + box.width - 4, y);
    const at = await live.text('#when');
    assert.match(at, /^Values at /);
    await twoSecondsPass(live);
    assert.equal(await live.text('#when'), at);
    await live.page.mouse.move(box.x + box.width / 2, box.y - 30);
    assert.equal(await live.text('#when'), '');
  });

  for (const [width, height, isOneScreen] of [
    [400, 800, false],
    [1280, 800, true],
    [2560, 1440, true],
  ] as const) {
    it(`fits ${width} × ${height}${isOneScreen ? ', all charts without scrolling' : ''}`, async () => {
      const { page } = await LivePage.open(browser, server, { viewport: { width, height } });
      const [contentWidth, chartsEnd] = (await page.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('#panels').getBoundingClientRect().bottom]",
      )) as [number, number];
      assert.ok(contentWidth <= width, `${contentWidth} px wide`);
      if (isOneScreen) assert.ok(chartsEnd <= height, `${chartsEnd} px high`);
      for (const canvas of await page.locator('.uplot canvas').all()) {
        const box = (await canvas.boundingBox())!;
        assert.ok(box.x >= 0 && box.x + box.width <= width && box.height >= 100, `${box.height}`);
      }
    });
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`is readable in ${colorScheme} mode: every text has the contrast that WCAG requires`, async () => {
      const { page } = await LivePage.open(browser, server, { colorScheme });
      assert.deepEqual(await page.evaluate(lowContrasts), []);
    });
  }

  it('follows the light or dark mode of the system, and stores another choice', async () => {
    const { page } = await LivePage.open(browser, server, { colorScheme: 'dark' });
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    assert.notEqual(dark, light);
    const button = page.locator('#theme');
    await button.press('Enter');
    await button.press('Enter');
    assert.equal(await button.textContent().then((text) => text!.trim()), 'dark');
    assert.equal(await ground(), dark);
    await page.reload();
    assert.equal(await ground(), dark);
  });
});
