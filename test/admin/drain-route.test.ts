import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AdminConfig } from '../../src/admin/server.js';
import { KeptControl } from '../../src/journal/kept-control.js';
import type { DrainSetting } from '../../src/model/drain-control.js';
import type { ScheduledView } from '../../src/model/drain-view.js';
import { createAdmin, HOST, listening } from './admin-server.js';

const TOKEN = 'a-token-of-this-test';
const AT_MS = Date.UTC(2026, 10, 28, 12);
const FIRST: DrainSetting = {
  rate: 60,
  followsSchedule: false,
  pause: null,
  by: '--drain-rate',
  atMs: AT_MS,
};

async function admin(t: TestContext, config: Partial<AdminConfig> = {}, parts: Parts = {}) {
  const control = new KeptControl(FIRST, parts.keep);
  const drain = {
    control,
    backlog: () => 120,
    doneAtMs: () => AT_MS + 2000,
    scheduled: () => parts.scheduled ?? null,
  };
  const port = await listening(t, { drain, ...config });
  const url = `http://${HOST}:${port}/drain`;
  const put = async (body: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url, { method: 'PUT', body: text, headers });
    return { status: response.status, answer: JSON.parse(await response.text()) };
  };
  return { control, url, put };
}

interface Parts {
  readonly keep?: () => Promise<void>;
  readonly scheduled?: ScheduledView;
}

describe('GET /drain', () => {
  it('shows the setting, who set it and when, the instances and the backlog', async (t) => {
    const { url } = await admin(t);
    const view = await (await fetch(url)).json();
    const { instances, ...rest } = view as { instances: Record<string, unknown>[] };
    assert.deepEqual(rest, {
      rate: 60,
      followsSchedule: false,
      pause: null,
      by: '--drain-rate',
      at: '2026-11-28T12:00:00.000Z',
      scheduled: null,
      backlog: 120,
      doneAt: '2026-11-28T12:00:02.000Z',
      takesChanges: true,
    });
    assert.equal(instances.length, 1);
    assert.deepEqual([instances[0]!.pid, instances[0]!.share], [process.pid, 60]);
    const refused = await fetch(url, { method: 'POST' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD, PUT');
  });
});

describe('PUT /drain', () => {
  it('changes what it names, and leaves the rest', async (t) => {
    const { control, put } = await admin(t);
    const steps = [
      [{ rate: 200, by: 'ada@ops' }, 200, null],
      [{ pause: 'deploy', by: 'ada@ops' }, 200, 'deploy'],
      [{ rate: 0, by: 'ada@ops' }, 0, 'deploy'],
      [{ rate: 5, pause: null, by: 'ada@ops' }, 5, null],
      [{ pause: 'a\nb', by: 'ada\u0007@ops' }, 5, 'a b'],
    ] as const;
    for (const [body, rate, pause] of steps) {
      const { status, answer } = await put(body);
      assert.equal(status, 200);
      assert.deepEqual([answer.rate, answer.pause], [rate, pause]);
      assert.deepEqual([control.setting.rate, control.setting.pause], [rate, pause]);
    }
    assert.equal(control.setting.by, 'ada @ops');
  });

  it('says who asked if the body does not', async (t) => {
    const { put, url } = await admin(t);
    assert.equal((await put({ rate: 1 })).answer.by, 'admin API at 127.0.0.1');
    const { origin } = new URL(url);
    assert.equal((await put({ rate: 2 }, { Origin: origin })).answer.by, 'live page at 127.0.0.1');
  });

  it('refuses what is wrong with 400 and one line that names it, and changes nothing', async (t) => {
    const { control, put } = await admin(t);
    for (const [body, reason] of [
      ['', /JSON object/],
      ['{', /JSON object/],
      ['null', /JSON object/],
      ['[]', /JSON object/],
      ['5', /JSON object/],
      [{}, /neither rate nor pause/],
      [{ by: 'ada' }, /neither rate nor pause/],
      [{ rate: '5' }, /^rate: .* 0 to 1000000, or "schedule"$/],
      [{ rate: -1 }, /^rate: /],
      [{ rate: 1.5 }, /^rate: /],
      [{ rate: 1_000_001 }, /^rate: /],
      [{ rate: null }, /^rate: /],
      [{ rate: 'schedule' }, /no --drain-schedule/],
      [{ pause: true }, /^pause: .*null to go on/],
      [{ pause: ' ' }, /^pause: .*null to go on/],
      [{ rate: 5, by: 'schedule' }, /^by: "schedule" is nobody/],
      [{ rate: 5, by: '--drain-rate' }, /^by: "--drain-rate" is nobody/],
      [{ rate: 5, by: 7 }, /^by: /],
      [{ rate: 5, paused: true }, /^"paused": the members are rate, pause and by$/],
    ] as const) {
      const { status, answer } = await put(body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.equal(answer.result, 'invalid');
      assert.match(answer.reason, reason);
      assert.ok(!answer.reason.includes('\n'));
    }
    assert.equal((await put('x'.repeat(5000))).status, 413);
    assert.equal(control.setting, FIRST);
  });

  it('goes back to the schedule, and a rate by hand leaves it', async (t) => {
    const scheduled = { rate: 200, until: '2026-11-28T13:00:00.000Z' };
    const { control, put } = await admin(t, {}, { scheduled });
    const { answer } = await put({ rate: 'schedule' });
    assert.equal(answer.followsSchedule, true);
    assert.deepEqual(answer.scheduled, scheduled);
    await put({ pause: 'deploy' });
    assert.equal(control.setting.followsSchedule, true);
    await put({ rate: 9 });
    assert.equal(control.setting.followsSchedule, false);
  });

  it('ends a pause of the schedule with a rate by hand, and no pause of a person', async (t) => {
    const { control, put } = await admin(t);
    await control.change({ pause: 'a window', by: 'schedule' });
    await put({ rate: 9 });
    assert.deepEqual([control.setting.rate, control.setting.pause], [9, null]);
    await put({ pause: 'deploy' });
    await put({ rate: 10 });
    assert.deepEqual([control.setting.rate, control.setting.pause], [10, 'deploy']);
  });

  it('answers 503 with the reason if the change cannot be kept', async (t) => {
    const keep = () => Promise.reject(new Error('the disk is full'));
    const { control, put } = await admin(t, {}, { keep });
    const { status, answer } = await put({ rate: 5 });
    assert.equal(status, 503);
    assert.match(answer.reason, /the disk is full/);
    assert.equal(control.setting.rate, 60);
  });
});

describe('who may change the drain', () => {
  it('with tokens: whoever has one', async (t) => {
    const { control, put } = await admin(t, { tokens: { value: [TOKEN] } });
    assert.equal((await put({ rate: 5 })).status, 401);
    assert.equal(control.setting.rate, 60);
    const headers = { Authorization: `Bearer ${TOKEN}`, 'X-Forwarded-For': '192.0.2.1' };
    assert.equal((await put({ rate: 5 }, headers)).status, 200);
  });

  it('without tokens: programs and pages of this machine, and nobody behind a proxy or of another site', async (t) => {
    const { control, put, url } = await admin(t);
    for (const headers of [
      { Origin: 'https://evil.example' },
      { Origin: 'http://127.0.0.1:1' },
      { 'X-Forwarded-For': '192.0.2.1' },
      { Forwarded: 'for=192.0.2.1' },
      { 'X-Real-IP': '192.0.2.1' },
    ]) {
      const { status, answer } = await put({ rate: 5 }, headers as Record<string, string>);
      assert.equal(status, 403, JSON.stringify(headers));
      assert.equal(answer.result, 'forbidden');
    }
    assert.equal(control.setting.rate, 60);
    assert.equal((await put({ rate: 5 }, { Origin: new URL(url).origin })).status, 200);
  });

  it('without tokens, nobody if the server listens beyond this machine, and the view says so', async (t) => {
    const server = createAdmin();
    t.after(() => server.close());
    const port = await server.listen('0.0.0.0', 0);
    const url = `http://${HOST}:${port}/drain`;
    const refused = await fetch(url, { method: 'PUT', body: '{"rate":5}' });
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /fix: --admin-token-file/);
    const view = (await (await fetch(url)).json()) as Record<string, unknown>;
    assert.deepEqual([view.rate, view.takesChanges], [60, false]);
  });
});
