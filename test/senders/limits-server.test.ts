import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keyLine, newKey, sha256Of } from '../../src/senders/key-file.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually } from '../support/orders.js';
import { postOrder, VALID_BODY } from '../support/raw-http.js';

interface Sent {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly status: number;
}

/** Posts from several connections at once, until `untilMs`. */
async function flood(
  forebay: ForebayProcess,
  untilMs: number,
  headers: Readonly<Record<string, string>>,
): Promise<Sent[]> {
  const all: Sent[] = [];
  const client = async () => {
    while (performance.now() < untilMs) {
      const sentMs = performance.now();
      const { status } = await postOrder(forebay.url, VALID_BODY, headers);
      all.push({ sentMs, answeredMs: performance.now(), status });
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return all;
}

/** The most requests that were accepted, and both sent and answered within one second. */
function mostInASecond(all: readonly Sent[]): number {
  const accepted = all.filter(({ status }) => status === 200);
  return Math.max(
    0,
    ...accepted.map(({ sentMs: from }) => {
      return accepted.filter(({ sentMs, answeredMs }) => sentMs >= from && answeredMs < from + 1000)
        .length;
    }),
  );
}

for (const { http, skip } of ENGINES) {
  describe(`limits, --http ${http}`, { skip }, () => {
    it('of a key are exact over two threads, and while they change; other keys are not affected', async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'senders-limits-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'keys');
      const [limited, free] = [newKey(), newKey()];
      const write = (rps: number) =>
        writeFileSync(
          file,
          [
            keyLine({ name: 'limited', sha256: sha256Of(limited), rps }),
            keyLine({ name: 'free', sha256: sha256Of(free), rps: 0 }),
          ].join('\n'),
        );
      write(12);
      const threads = http === 'uws' && process.platform === 'linux' ? '2' : '1';
      const flags = ['--http', http, '--threads', threads, '--api-keys', file];
      const forebay = await startForebay(flags, { owner: t });
      const startMs = performance.now();
      const change = setTimeout(() => write(7), 1500);
      t.after(() => clearTimeout(change));
      const all = await flood(forebay, startMs + 7000, { 'X-Api-Key': limited });
      assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200, 429]));
      assert.ok(mostInASecond(all) <= 12, `${mostInASecond(all)}`);
      // Usually within the flood; a busy machine looks at the file later.
      await eventually('the change is in use', () => forebay.stderr.includes('"senders-renewed"'));
      const later = await flood(forebay, performance.now() + 2500, { 'X-Api-Key': limited });
      assert.ok(mostInASecond(later) <= 7, `${mostInASecond(later)}`);
      await eventually('the key is let in again', async () => {
        const { status } = await postOrder(forebay.url, VALID_BODY, { 'X-Api-Key': limited });
        return status === 200;
      });
      const unlimited = await flood(forebay, performance.now() + 300, { 'X-Api-Key': free });
      assert.deepEqual(new Set(unlimited.map(({ status }) => status)), new Set([200]));
      assert.equal(await forebay.stop(), 0);
    });

    for (const [status, body] of [
      ['500', '{"result":"server-kaput"}'],
      ['429', '{"result":"rate-limited"}'],
      ['503', '{"result":"busy"}'],
    ] as const) {
      it(`of the server are answered ${status} with --limit-status ${status}`, async (t) => {
        const flags = ['--http', http, '--rps-limit', '1', '--limit-status', status];
        const forebay = await startForebay(flags, { owner: t });
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => postOrder(forebay.url, VALID_BODY)),
        );
        const limited = answers.filter((answer) => answer.status !== 200);
        assert.ok(limited.length > 0);
        for (const answer of limited) {
          assert.equal(answer.status, Number(status));
          assert.equal(answer.body, body);
          const { headers } = answer;
          const fields = [headers['retry-after'], headers['ratelimit-policy'], headers.ratelimit];
          assert.deepEqual(
            fields,
            status === '500'
              ? [undefined, undefined, undefined]
              : ['1', '"server";q=1;w=1', '"server";r=0;t=1'],
          );
        }
        assert.equal(await forebay.stop(), 0);
      });
    }
  });
}

describe('a key on the command line', () => {
  it('is not repeated in the error', async () => {
    const key = newKey();
    const { code, stderr } = await runForebay(['serve', '--api-keys', key]);
    assert.equal(code, 1);
    assert.ok(!stderr.includes(key.slice(4)), stderr);
  });
});
