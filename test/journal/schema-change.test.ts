import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadContract } from '../../src/schema/load-contract.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { eventually, metric } from '../support/orders.js';

/** Where the orders are while the schema changes. */
type Place = 'local journal' | 'local journal, as retries' | 'JetStream' | 'spool';

const OLD = { type: 'object', required: ['sku'], additionalProperties: { type: 'string' } };
const NEW = { ...OLD, required: ['sku', 'shop'] };
const ORDERS = 40;
const FATAL = ['{"sku":"fatal"}', '{"sku":"fatal","shop":"a"}'];

interface Scene {
  readonly nats: NatsServer | null;
  /** Starts the server with this schema; it must be stopped before the next start. */
  readonly start: (schema: string, ...flags: string[]) => Promise<ForebayProcess>;
  readonly old: string;
  readonly now: string;
  /** Flags that name the journal. */
  readonly journal: readonly string[];
  /** What the handler got, as text, by order id. */
  readonly handled: () => Promise<Map<string, string>>;
  /** From now on the handler does what it should. */
  readonly repair: () => Promise<void>;
}

async function stage(t: TestContext, nats: NatsServer | null): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-change-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [old, now, ledger] = ['old.json', 'new.json', 'ledger'].map((name) => join(folder, name));
  const [data, handler] = [join(folder, 'data'), join(folder, 'handler.mjs')];
  await writeFile(old!, JSON.stringify(OLD));
  await writeFile(now!, JSON.stringify(NEW));
  await writeFile(
    handler,
    `import { appendFileSync, existsSync } from 'node:fs';
const is = (name) => existsSync(new URL(name, import.meta.url));
export default (orders) => {
  if (!is('works')) return orders.map(() => 'retry');
  return orders.map(({ id, data, json }) => {
    if (data.sku === 'fatal' && !is('repaired')) return 'dead';
    appendFileSync(${JSON.stringify(ledger)}, JSON.stringify([id, json]) + '\\n');
    return 'done';
  });
};
`,
  );
  const journal = nats === null ? ['--data', data] : ['--nats', nats.url, '--data', data];
  return {
    nats,
    old: old!,
    now: now!,
    journal,
    start: async (schema, ...flags) => {
      if (schema === now) await writeFile(join(folder, 'works'), '');
      const all = [...journal, '--schema', schema, '--handler', handler, ...flags];
      return startForebay(all, { owner: t, data });
    },
    handled: async () => {
      const text = existsSync(ledger!) ? await readFile(ledger!, 'utf8') : '';
      return new Map(
        text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
      );
    },
    repair: () => writeFile(join(folder, 'repaired'), ''),
  };
}

async function post(
  { url }: ForebayProcess,
  body: string,
): Promise<{ status: number; id: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body });
  return { status: answer.status, id: answer.headers.get('x-order-id') ?? '' };
}

interface Letter {
  readonly id: string;
  readonly body: string;
  readonly schema?: string;
}

async function letters({ journal }: Scene): Promise<Letter[]> {
  const { stdout } = await runForebay(['dlq', 'list', '--json', ...journal]);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Accepts orders under the old schema, and kills the server. @returns the body by order id */
async function accept(scene: Scene, place: Place): Promise<Map<string, string>> {
  const drain = place === 'local journal, as retries' ? 'on' : 'off';
  const first = await scene.start(scene.old, '--drain', drain);
  if (place === 'spool') await scene.nats!.kill();
  const bodies = Array.from({ length: ORDERS }, (_, i) => `{"sku":"s-${i}"}`);
  const accepted = new Map<string, string>();
  await Promise.all(
    [...bodies, FATAL[0]!].map(async (body) => {
      const { status, id } = await post(first, body);
      assert.equal(status, 200);
      accepted.set(id, body);
    }),
  );
  if (drain === 'on') {
    const retries = () => metric(first, 'forebay_retries_total');
    await eventually('all were tried', async () => (await retries()) > ORDERS);
  }
  if (place === 'spool') {
    assert.equal(await metric(first, 'forebay_spooled_orders_total'), ORDERS + 1);
  }
  await first.kill9();
  if (place === 'spool') await scene.nats!.start();
  return accepted;
}

async function testChange(t: TestContext, place: Place, version: NatsVersion | null) {
  const nats = version === null ? null : await NatsServer.start({ version });
  if (nats !== null) t.after(() => nats.stop());
  const scene = await stage(t, nats);
  const digests = [scene.old, scene.now].map((file) => loadContract(file).digest);
  const accepted = await accept(scene, place);

  const second = await scene.start(scene.now);
  assert.equal((await post(second, '{"sku":"late"}')).status, 400);
  const fatal = await post(second, FATAL[1]!);
  assert.equal(fatal.status, 200);
  const isWhole = async () => (await scene.handled()).size >= ORDERS;
  await eventually('what was accepted under the old schema is handed over', isWhole);
  const [oldFatal] = [...accepted].find(([, body]) => body === FATAL[0])!;
  const expected = new Map([...accepted].filter(([id]) => id !== oldFatal));
  assert.deepEqual(await scene.handled(), expected);

  await eventually('two are dead', async () => (await letters(scene)).length === 2);
  const bySchema = new Map((await letters(scene)).map(({ id, schema }) => [id, schema]));
  assert.deepEqual(
    bySchema,
    new Map([
      [oldFatal, digests[0]],
      [fatal.id, digests[1]],
    ]),
  );
  const { stdout } = await runForebay(['dlq', 'show', oldFatal, ...scene.journal]);
  assert.match(stdout, new RegExp(`^schema +${digests[0]}$`, 'm'));

  await scene.repair();
  const replay = ['dlq', 'replay', '--all', ...scene.journal, '--schema', scene.now];
  const replayed = await runForebay(replay);
  assert.equal(replayed.stdout, 'replayed 1, invalid 1, gone 0\n');
  assert.ok(
    replayed.stderr.startsWith(
      `${oldFatal} is invalid by the current rules (/ required shop) and stays a dead letter: it was accepted under the schema ${digests[0]}, and --schema is ${digests[1]}\n`,
    ),
    replayed.stderr,
  );
  const isReplayed = async () => (await scene.handled()).get(fatal.id) === FATAL[1];
  await eventually('the replayed order is handed over', isReplayed);
  assert.deepEqual(
    (await letters(scene)).map(({ id }) => id),
    [oldFatal],
  );
  assert.equal(await second.stop(), 0);
}

describe('a server that was killed and starts with another schema', () => {
  for (const place of ['local journal', 'local journal, as retries'] as const) {
    it(`hands over what was accepted before: ${place}`, (t) => testChange(t, place, null));
  }
  for (const version of NATS_VERSIONS) {
    for (const place of ['JetStream', 'spool'] as const) {
      const name = `hands over what was accepted before: ${place}, ${version}`;
      it(name, (t) => testChange(t, place, version));
    }
  }
});
