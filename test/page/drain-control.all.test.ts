import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from '../support/browser.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually, OrderClient } from '../support/orders.js';
import { lowContrasts } from './in-page.js';
import { LivePage } from './live-page.js';

const TOKEN = 'a-token-of-this-test';
const WIDTHS = [400, 1280] as const;
/** Where pictures go, for those who want to look at them. */
const SHOTS = process.env.FOREBAY_SHOTS ?? '';

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

/** Whether the whole page fits into its width. */
function fits(live: LivePage): Promise<boolean> {
  return live.page.evaluate('document.documentElement.scrollWidth <= innerWidth');
}

async function picture({ page }: Pick<LivePage, 'page'>, name: string): Promise<void> {
  if (SHOTS !== '') await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

function tokenFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-page-token-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'token'), TOKEN, { mode: 0o600 });
  return join(folder, 'token');
}

describe('the drain control of the live page in Chromium', () => {
  for (const width of WIDTHS) {
    it(`slows down, pauses with a reason and resumes, and shows who and when: ${width} px`, async (t) => {
      const server = await startForebay(['--drain-rate', '500', '--work-ms', '0'], { owner: t });
      const colorScheme = width === 400 ? 'dark' : 'light';
      const options = { viewport: { width, height: 900 }, colorScheme } as const;
      const live = await LivePage.open(browser, server, options);
      const { page } = live;
      const state = page.locator('#drain .state');
      const who = page.locator('#drain .note').first();
      const shows = (text: RegExp) =>
        eventually(`the state is ${text}`, async () => text.test((await state.textContent())!));
      await shows(/^500 orders\/s$/);
      assert.match((await who.textContent())!, /^set by --drain-rate at \d\d:\d\d:\d\d$/);
      await page.fill('#drain-rate', '20');
      await page.click('text=Set rate');
      await shows(/^20 orders\/s$/);
      assert.match((await who.textContent())!, /^set by live page at 127\.0\.0\.1 at /);
      await page.fill('#drain-why', 'the database is being moved');
      await page.keyboard.press('Enter');
      await shows(/^Paused: the database is being moved \(then 20 orders\/s\)$/);
      const client = new OrderClient(server.url);
      for (let i = 0; i < 30; i++) assert.equal((await client.post(`user-${i}`)).status, 200);
      client.close();
      await eventually('the backlog is shown', async () =>
        /backlog: 30/.test((await page.textContent('#drain .facts'))!),
      );
      assert.ok(await fits(live));
      assert.deepEqual(await page.evaluate(lowContrasts), []);
      await picture(live, `drain-paused-${width}`);
      const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
      assert.match(metrics, /^forebay_drain_paused 1$/m);
      assert.match(metrics, /^work_done_total\{status="done"\} 0$/m);
      await page.click('text=Resume');
      await shows(/^20 orders\/s$/);
      const long = 'x'.repeat(200);
      const put = { method: 'PUT', body: JSON.stringify({ pause: long, by: 'y'.repeat(100) }) };
      assert.equal((await fetch(`${server.adminUrl}/drain`, put)).status, 200);
      await shows(new RegExp(`^Paused: ${long} `));
      assert.ok(await fits(live), 'a long reason fits');
      await page.click('text=Resume');
      // What somebody else does is seen too.
      const { port } = new URL(server.adminUrl);
      await runForebay(['drain', '--rate', '0', '--admin-port', port]);
      await shows(/^No limit$/);
      assert.match((await who.textContent())!, /@/);
      await picture(live, `drain-${width}`);
      assert.match((await page.textContent('#drain .instances'))!, /process \d+, this oneno limit/);
      assert.ok(await page.locator('text=Back to schedule').isHidden());
      assert.deepEqual(live.complaints, []);
    });
  }

  it('leaves the schedule with a rate by hand, and goes back to it', async (t) => {
    const file = `${tokenFile(t)}-schedule`;
    writeFileSync(file, '00:00-24:00 UTC 200/s\n');
    const server = await startForebay(['--drain-schedule', file], { owner: t });
    const live = await LivePage.open(browser, server, { viewport: { width: 400, height: 900 } });
    const { page } = live;
    const shows = (text: RegExp) =>
      eventually(`the panel shows ${text}`, async () =>
        text.test((await page.textContent('#drain .facts'))!),
      );
    await shows(/200 orders\/s, by the schedule.*schedule: 200 orders\/s until /);
    assert.ok(await page.locator('text=Back to schedule').isHidden());
    await page.fill('#drain-rate', '7');
    await page.click('text=Set rate');
    await shows(/^Drain7 orders\/sset by live page/);
    assert.ok(await fits(live));
    await picture(live, 'drain-schedule-400');
    await page.click('text=Back to schedule');
    await shows(/200 orders\/s, by the schedule/);
    assert.deepEqual(live.complaints, []);
  });

  it('has no controls where changes need a token, and says so', async (t) => {
    const server = await startForebay(['--admin-host', '0.0.0.0'], { owner: t });
    const { port } = new URL(server.adminUrl);
    const at = { ...server, adminUrl: `http://127.0.0.1:${port}` } as typeof server;
    const live = await LivePage.open(browser, at, { viewport: { width: 400, height: 900 } });
    await eventually('it says why', async () =>
      /--admin-token-file/.test((await live.page.textContent('#drain .message'))!),
    );
    assert.ok(await live.page.locator('#drain .controls').isHidden());
    assert.ok(await fits(live));
  });
});

describe('the login of the live page in Chromium', () => {
  for (const width of WIDTHS) {
    it(`asks for a token, says that one is wrong, shows the page, and logs out: ${width} px`, async (t) => {
      const server = await startForebay(['--admin-token-file', tokenFile(t)], { owner: t });
      const options = { viewport: { width, height: 700 } };
      const { page, complaints } = await openPage(browser, options);
      await page.goto(server.adminUrl);
      assert.equal(await page.title(), 'Log in · Forebay');
      assert.deepEqual(await page.evaluate(lowContrasts), []);
      assert.equal(await page.evaluate('document.activeElement.id'), 'token');
      await page.keyboard.type('a-wrong-token-of-this-test');
      await page.keyboard.press('Enter');
      await page.waitForSelector('text=This token is not known here.');
      await picture({ page }, `login-${width}`);
      await page.fill('#token', TOKEN);
      await page.click('text=Log in');
      await page.waitForSelector('body[data-connection=live]');
      assert.equal(await page.evaluate('document.cookie'), '');
      // A change from the page goes with the session.
      await page.fill('#drain-rate', '20');
      await page.click('text=Set rate');
      await eventually('it is set', async () =>
        /^20 orders/.test((await page.textContent('#drain .state'))!),
      );
      const second = await page.context().newPage();
      await second.goto(server.adminUrl);
      await second.waitForSelector('body[data-connection=live]');
      await page.click('text=Log out');
      await page.waitForSelector('#token');
      // The other page loses its stream, and shows the form too.
      await second.waitForSelector('#token');
      const other = complaints.filter((line) => !/status of 401/.test(line));
      assert.deepEqual(other, []);
    });
  }

  it('is passed by a link from another site, to somebody who is logged in', async (t) => {
    const server = await startForebay(['--admin-token-file', tokenFile(t)], { owner: t });
    const { page } = await openPage(browser);
    await page.goto(server.adminUrl);
    await page.fill('#token', TOKEN);
    await page.click('text=Log in');
    await page.waitForSelector('body[data-connection=live]');
    await page.route('http://other.example/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<a href="${server.adminUrl}">the page</a>`,
      }),
    );
    await page.goto('http://other.example/');
    await page.click('a');
    await page.waitForSelector('body[data-connection=live]');
  });
});
