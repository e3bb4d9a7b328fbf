import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ledgerHandler } from '../drain/handlers.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { SEVERAL_THREADS } from '../support/http-engine.js';
import { eventually, orderBody } from '../support/orders.js';
import { type KeyedAnswer, KeyedPoster } from './keyed-post.js';

const KEYS = 100;

for (const [name, end] of [
  ['an ordered stop', async (forebay: ForebayProcess) => void (await forebay.stop())],
  ['kill -9', (forebay: ForebayProcess) => forebay.kill9()],
] as const) {
  it(`keys are still known after ${name}, with the local journal`, async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'forebay-keys-'));
    t.after(() => rm(data, { recursive: true, force: true }));
    const handler = await ledgerHandler(t);
    const flags = ['--threads', SEVERAL_THREADS, '--handler', handler.file];
    const answers = new Map<string, KeyedAnswer>();
    for (let life = 0; life < 3; life++) {
      const forebay = await startForebay(flags, { owner: t, data });
      const poster = new KeyedPoster(forebay.url);
      for (const [key, before] of answers) {
        const again = await poster.post(key, orderBody(key));
        assert.deepEqual([again.status, again.id, again.isReplay], [200, before.id, true]);
        assert.equal((await poster.post(key, orderBody('other'))).status, 422);
      }
      const fresh = Array.from({ length: KEYS }, (_, i) => `${life}-${i}`);
      await Promise.all(
        fresh.map(async (key) => answers.set(key, await poster.post(key, orderBody(key)))),
      );
      poster.close();
      if (life === 2) {
        await eventually('all are processed', async () => {
          const done = new Set((await handler.lines()).map(({ id }) => id));
          return done.size === answers.size;
        });
      }
      await end(forebay);
    }
    const processed = new Set((await handler.lines()).map(({ id }) => id));
    assert.deepEqual([...processed].sort(), [...answers.values()].map(({ id }) => id).sort());
  });
}

it('an order that a client sends again after kill -9 under load is never processed twice', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'forebay-keys-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const handler = await ledgerHandler(t);
  const flags = ['--threads', SEVERAL_THREADS, '--handler', handler.file];
  const wanted = new Map<string, KeyedAnswer>();
  for (let life = 0; life < 4; life++) {
    const forebay = await startForebay(flags, { owner: t, data });
    const poster = new KeyedPoster(forebay.url, 32);
    // Orders that the killed process did not answer are sent again with their key, together with new ones.
    const due = [...wanted].filter(([, { status }]) => status !== 200).map(([key]) => key);
    if (life < 3) for (let i = 0; i < 2000; i++) due.push(`${life}-${i}`);
    const posted = due.map(async (key) => wanted.set(key, await poster.post(key, orderBody(key))));
    if (life < 3) {
      const answered = () => [...wanted.values()].filter(({ status }) => status === 200).length;
      const before = answered();
      await eventually('half are answered', () => answered() > before + 1000);
      await forebay.kill9();
      await Promise.all(posted);
      poster.close();
      continue;
    }
    await Promise.all(posted);
    const ids = () => handler.lines().then((lines) => new Set(lines.map(({ id }) => id)));
    await eventually('all are processed', async () => (await ids()).size >= wanted.size);
    poster.close();
    assert.equal(await forebay.stop(), 0);
    // A kill can make an order run again with the same id. A key prevents a second order with another id.
    const processed = [...(await ids())].sort();
    assert.deepEqual(processed, [...wanted.values()].map(({ id }) => id).sort());
  }
});
