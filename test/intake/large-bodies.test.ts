import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCheck } from '../cli/check/run-check.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric } from '../support/orders.js';

const MIB = 1024 * 1024;
const LARGE = ['--schema', 'true', '--body-bytes-max', String(MIB)];
const ORDERS = 24;

/** Compact JSON of exactly so many bytes. */
function body(n: number, bytes = MIB): string {
  const head = `{"n":${n},"list":[1,2.50,"ünï"],"text":"`;
  return `${head}${'x'.repeat(bytes - Buffer.byteLength(head) - 2)}"}`;
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A handler that writes the hash of each order, and the size of its batch. */
async function hashHandler(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-large-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [file, ledger] = [join(folder, 'handler.mjs'), join(folder, 'ledger')];
  await writeFile(
    file,
    `import { appendFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
export default (orders) => {
  const lines = orders.map(({ id, json, data }) => {
    const hash = createHash('sha256').update(json).digest('hex');
    return JSON.stringify([id, hash, data.text.length, orders.length]) + '\\n';
  });
  appendFileSync(${JSON.stringify(ledger)}, lines.join(''));
};
`,
  );
  const lines = async () => {
    const text = existsSync(ledger) ? await readFile(ledger, 'utf8') : '';
    const parsed = text.split('\n').slice(0, -1);
    return parsed.map((line) => JSON.parse(line) as [string, string, number, number]);
  };
  return { folder, file, lines };
}

async function post(
  { url }: ForebayProcess,
  sent: string | Uint8Array,
  more: Readonly<Record<string, string>> = {},
) {
  const headers = { 'content-type': 'application/json', ...more };
  const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body: sent });
  return { status: answer.status, id: answer.headers.get('x-order-id') ?? '' };
}

async function testAll(t: TestContext, flags: readonly string[]): Promise<void> {
  const handler = await hashHandler(t);
  const forebay = await startForebay([...LARGE, '--handler', handler.file, ...flags], { owner: t });
  const accepted = new Map<string, string>();
  const orders = Array.from({ length: ORDERS }, (_, n) => body(n));
  await Promise.all(
    orders.map(async (text, n) => {
      const key = n % 3 === 0 ? { 'idempotency-key': `key-${n}` } : {};
      const gzip = n % 2 === 0 ? { 'content-encoding': 'gzip' } : {};
      const sent = n % 2 === 0 ? gzipSync(text) : text;
      const { status, id } = await post(forebay, sent, { ...key, ...gzip });
      assert.equal(status, 200);
      accepted.set(id, sha(text));
    }),
  );
  assert.equal((await post(forebay, `${body(0)} `)).status, 413);
  assert.equal(
    (await post(forebay, gzipSync(body(0, MIB + 1)), { 'content-encoding': 'gzip' })).status,
    413,
  );
  // The line feed of a frame's line is not part of the body.
  const again = await post(forebay, orders[0]!, { 'idempotency-key': 'key-0' });
  assert.ok(accepted.has(again.id));
  await eventually('all are processed', async () => (await handler.lines()).length === ORDERS);
  const lines = await handler.lines();
  assert.deepEqual(new Map(lines.map(([id, hash]) => [id, hash])), accepted);
  assert.ok(
    lines.every(([, , , batch]) => batch <= 4),
    JSON.stringify(lines.at(-1)),
  );
  assert.equal(await metric(forebay, 'forebay_handler_thread_deaths_total'), 0);
  assert.equal(await forebay.stop(), 0);
}

for (const { http, skip } of ENGINES) {
  describe(`bodies of 1 MiB, --http ${http}`, { skip }, () => {
    it('reach the handler byte for byte, through the local journal', (t) =>
      testAll(t, ['--http', http]));
  });
}

describe('bodies of 1 MiB with NATS', () => {
  const fault =
    /NATS takes messages of 1048576 bytes \(max_payload\), but with --frame-bytes-max 1064960 a frame can take 1070984: lower --frame-bytes-max, and --body-bytes-max below it, or raise max_payload/;
  const quiet = ['--port', '0', '--admin-port', '0', '--log-level', 'silent'];

  it('reach the handler if max_payload allows it', async (t) => {
    const nats = await NatsServer.start({ maxPayload: 2 * MIB });
    t.after(() => nats.stop());
    await testAll(t, ['--nats', nats.url]);
  });

  it('end the start with one line if it does not, and check says so', async (t) => {
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const { folder } = await hashHandler(t);
    const flags = [...LARGE, '--nats', nats.url, '--data', folder];
    const { code, stderr } = await runForebay(['serve', ...flags, ...quiet]);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^forebay: ${fault.source}\\n$`));
    const checked = await runCheck(...flags);
    assert.equal(checked.code, 2);
    const { verdict, fix } = checked.about('nats message');
    assert.equal(verdict, 'fail');
    assert.match(
      fix,
      /lower --frame-bytes-max, and --body-bytes-max below it, or raise max_payload/,
    );
  });

  it('end the start with one line if a stream of smaller messages exists, and check says so', async (t) => {
    const nats = await NatsServer.start({ maxPayload: 2 * MIB });
    t.after(() => nats.stop());
    const { folder } = await hashHandler(t);
    const small = await startForebay(['--nats', nats.url], { owner: t });
    await small.stop();
    const flags = [...LARGE, '--nats', nats.url, '--data', folder];
    const { code, stderr } = await runForebay(['serve', ...flags, ...quiet]);
    assert.equal(code, 2);
    const expected =
      /NATS stream FOREBAY exists with max_msg_size 1048576, expected at least 1070984/;
    assert.match(stderr, new RegExp(`^forebay: ${expected.source}[^\\n]*\\n$`));
    const checked = await runCheck(...flags);
    assert.equal(checked.code, 2);
    assert.match(checked.stdout, expected);
  });

  it('share a stream with instances that have smaller frames', async (t) => {
    const nats = await NatsServer.start({ maxPayload: 2 * MIB });
    t.after(() => nats.stop());
    const large = await startForebay([...LARGE, '--nats', nats.url], { owner: t });
    const small = await startForebay(['--nats', nats.url], { owner: t });
    assert.equal(await small.stop(), 0);
    assert.equal(await large.stop(), 0);
  });
});
