import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { suiteOwner } from '../../support/reverse-owner.js';
import { JOURNALS, names, Shop } from './shop.js';

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const ORDERS = 2000;
const ROUNDS = 5;
const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

for (const kind of JOURNALS) {
  describe(`dlq replay on ${kind}`, () => {
    const owner = suiteOwner();
    let shop: Shop;
    before(async () => {
      shop = await Shop.open(owner, kind);
    });
    beforeEach(() => shop.reset());

    it(`killed several times on the way, it loses none of ${ORDERS} orders and repeats none`, async (t) => {
      t.diagnostic(`FOREBAY_SEED=${seed}`);
      const random = lcg(seed);
      const ids = await shop.fail(names(ORDERS));
      await shop.repair();
      const watch = await shop.watch();
      t.after(() => watch.close());
      let killed = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const before = await watch.kept();
        const child = spawn(process.execPath, [MAIN, 'dlq', 'replay', '--all', ...shop.place]);
        const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
        t.after(() => void child.kill('SIGKILL'));
        // It is killed on its way, at another point each time.
        const killAt = before - 1 - Math.floor((random() * before) / ROUNDS);
        while (child.exitCode === null && (await watch.kept()) > killAt) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        child.kill('SIGKILL');
        const [, signal] = await ended;
        if (signal === 'SIGKILL') killed++;
      }
      assert.ok(killed > 0);
      const rest = await shop.dlq('replay', '--all');
      t.diagnostic(`killed ${killed} times; the last run: ${rest.stdout.trim()}`);
      assert.equal(rest.code, 0, rest.stderr);
      await shop.done(ORDERS);
      assert.deepEqual(await shop.letters(), []);
      assert.deepEqual(await shop.timesById(), new Map([...ids.values()].map((id) => [id, 2])));
    });

    it('stopped by Ctrl-C, it reports exactly what it did', async (t) => {
      const ids = await shop.fail(names(300));
      await shop.repair();
      const watch = await shop.watch();
      t.after(() => watch.close());
      const args = ['dlq', 'replay', '--all', '--rate', '20', ...shop.place];
      const child = spawn(process.execPath, [MAIN, ...args]);
      t.after(() => void child.kill('SIGKILL'));
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      const ended = once(child, 'close') as Promise<[number | null, string | null]>;
      while (child.exitCode === null && (await watch.kept()) === 300) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
      const replayed = 300 - (await watch.kept());
      assert.ok(replayed > 0 && replayed < 300, `${replayed}`);
      assert.equal(stdout, `replayed ${replayed}, invalid 0, gone 0\n`);
      await shop.done(replayed);
      assert.equal((await shop.handler.lines()).length, ids.size + replayed);
    });
  });
}

/** Numbers from 0 to 1 that follow from the seed. */
function lcg(state: number): () => number {
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}
