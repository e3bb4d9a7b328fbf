import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runCheck } from '../cli/check/run-check.js';
import { runForebay } from '../support/forebay.js';

const folder = mkdtempSync(join(tmpdir(), 'senders-start-'));
const path = (name: string) => join(folder, name);
const file = (name: string, text: string, mode = 0o600) => {
  writeFileSync(path(name), text);
  chmodSync(path(name), mode);
  return path(name);
};

const secrets = file('secrets', 'whsec_c2VjcmV0\n');
const event = file(
  'event.json',
  JSON.stringify({
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'integer' }, name: { type: 'string' } },
  }),
);

/** Flags, what `serve` and `check` say, and the exit code. */
const REFUSED: readonly (readonly [readonly string[], RegExp, number])[] = [
  [['--api-keys', path('none')], /--api-keys .*none: there is no such file/, 1],
  [['--api-keys', folder], /--api-keys .*: it is a folder/, 1],
  [['--api-keys', file('empty', '')], /--api-keys .*empty: it has no key/, 2],
  [['--api-keys', file('bytes', '\xff'.repeat(3))], /--api-keys .*bytes: line 1/, 2],
  [
    ['--verify', 'github', '--verify-secrets', path('none')],
    /--verify-secrets .*: there is no such file/,
    1,
  ],
  [['--verify', 'github', '--verify-secrets', path('empty')], /it has no secret/, 2],
  [
    ['--verify', 'standard-webhooks', '--verify-secrets', file('text', 'not base64!\n')],
    /line 1 is not a secret of this scheme/,
    2,
  ],
  [
    ['--verify', 'hmac:header=x,algorithm=md5', '--verify-secrets', secrets],
    /--verify hmac:header=x,algorithm=md5: algorithm must be/,
    2,
  ],
  [['--keep-headers', 'x-a,Authorization'], /--keep-headers authorization: it holds a secret/, 2],
  [['--keep-headers', 'X-Api-Key'], /--keep-headers x-api-key/, 2],
  [['--keep-headers', 'stripe-signature'], /--keep-headers stripe-signature/, 2],
  [
    ['--keep-headers', 'x-sig', '--verify', 'hmac:header=X-Sig', '--verify-secrets', secrets],
    /--keep-headers x-sig/,
    2,
  ],
  [
    ['--keep-headers', Array.from({ length: 17 }, (_, i) => `x-${i}`).join(',')],
    /--keep-headers: 17 names/,
    2,
  ],
  [['--idempotency-from', '/id'], /--idempotency-from \/id: the schema does not require \/id/, 2],
  [['--idempotency-from', 'Content-Type'], /--idempotency-from Content-Type: it does not tell/, 2],
  [['--idempotency-from', 'user-agent'], /--idempotency-from user-agent: it does not tell/, 2],
  [['--idempotency-from', '/~x'], /it is not a JSON pointer/, 2],
  [['--idempotency-from', '/name', '--schema', event], /does not require \/name/, 2],
  [['--idempotency-from', '/id/x', '--schema', event], /\/id is an object/, 2],
];

/** Those that are wrong without a look at another file: `check` refuses them as `serve` does. */
const CONTRADICTIONS: readonly (readonly [readonly string[], RegExp])[] = [
  [['--verify', 'github'], /--verify github .*: needs --verify-secrets/],
  [['--verify-secrets', secrets], /--verify-secrets .*: needs --verify/],
  [['--verify', 'paypal', '--verify-secrets', secrets], /--verify paypal .*must be standard-/],
  [['--limit-status', '418'], /must be 500, 429 or 503/],
  [['--keep-headers', 'a b'], /must be names of headers/],
  [['--idempotency-from', 'a b'], /must be a JSON pointer/],
  [
    ['--keep-headers', 'x', '--frame-bytes-max', '5000'],
    /--frame-bytes-max 5000 .*--body-bytes-max \(4096\), and 4096 for --keep-headers/,
  ],
];

describe('options about senders', () => {
  after(() => rmSync(folder, { recursive: true }));

  for (const [flags, why, exitCode] of REFUSED) {
    it(`serve and check refuse ${flags.join(' ').replaceAll(folder, '')}`, async () => {
      const data = ['--port', '0', '--admin-port', '0', '--data', path('data')];
      const { code, stderr } = await runForebay(['serve', ...data, ...flags]);
      assert.equal(code, exitCode, stderr);
      const lines = stderr.split('\n').filter((line) => why.test(line));
      assert.equal(lines.length, 1, stderr);
      const { findings } = await runCheck('--data', path('data'), ...flags);
      const found = findings.filter(({ verdict, text }) => verdict === 'fail' && why.test(text));
      assert.equal(found.length, 1, JSON.stringify(findings.map(({ text }) => text)));
      assert.ok(found[0]!.fix !== '');
    });
  }

  for (const [flags, why] of CONTRADICTIONS) {
    it(`${flags.join(' ').replaceAll(folder, '')} is refused in one line`, async () => {
      for (const command of ['serve', 'check']) {
        const { code, stderr } = await runForebay([command, ...flags]);
        assert.equal(code, 2);
        assert.match(stderr, why);
        assert.match(stderr, /^forebay: .*\n$/);
      }
    });
  }

  it('check says what would be used', async () => {
    const keys = file('keys', `acme ${'a'.repeat(64)}\nacme ${'b'.repeat(64)}\n`);
    const verify = ['--verify', 'standard-webhooks', '--verify-secrets', secrets];
    const more = ['--keep-headers', 'X-A,x-b', '--schema', event, '--idempotency-from', '/id'];
    const check = () => runCheck('--data', path('data'), '--api-keys', keys, ...verify, ...more);
    const report = await check();
    assert.equal(report.about('API keys').text, '2 keys of 1 names');
    assert.equal(report.about('signatures').text, 'standard-webhooks, 1 secrets');
    assert.equal(report.about('kept headers').text, 'x-a, x-b');
    assert.match(report.about('idempotency').text, /\/id/);
    for (const about of ['API keys', 'signatures', 'kept headers', 'idempotency']) {
      assert.equal(report.about(about).verdict, 'ok');
    }
    chmodSync(secrets, 0o644);
    const warned = (await check()).about('signatures');
    assert.equal(warned.verdict, 'warn');
    assert.match(warned.fix, /chmod 600/);
  });
});
