import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { clientToken, parseTokenFile } from '../../src/options/admin-tokens.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually } from '../support/orders.js';

const TOKEN = 'a-token-of-this-test';
const OTHER = 'another-token-of-this-test';

function tokenFile(t: TestContext, text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-token-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'token');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const BAD: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['empty', '', /it has no token/],
  ['only comments', '# none\n\n', /it has no token/],
  ['short', 'short', /line 1: a token has 16 to 512 characters/],
  ['long', `# one\n${'x'.repeat(513)}`, /line 2: a token has 16 to 512 characters/],
  ['two words', `${TOKEN} ${OTHER}`, /line 1: .*no spaces/],
  ['not ASCII', 'a-token-with-an-ä-inside', /line 1: .*visible ASCII/],
  ['too many', Array.from({ length: 17 }, (_, n) => `${TOKEN}-${n}`).join('\n'), /more than 16/],
  ['not UTF-8', Buffer.from([0xff, 0xfe, 0x41]), /it is not UTF-8/],
];

describe('the file of --admin-token-file', () => {
  it('has one token in each line; comments, empty lines and white space do not count', () => {
    const text = `\ufeff# since May\r\n${TOKEN}\r\n\n  ${OTHER}\t\n#${TOKEN}\n`;
    assert.deepEqual(parseTokenFile(text), [TOKEN, OTHER]);
  });

  it('gives clients its first token', (t) => {
    assert.equal(clientToken(tokenFile(t, `# new\n${OTHER}\n${TOKEN}\n`)), OTHER);
    assert.equal(clientToken(''), null);
  });

  it('that is wrong ends serve and check with one line that names file, fault and fix, and no token', async (t) => {
    for (const [what, text, why] of BAD) {
      const file = tokenFile(t, text as string);
      const flags = ['--admin-token-file', file, '--port', '0', '--admin-port', '0'];
      const serve = await runForebay(['serve', ...flags]);
      assert.equal(serve.code, 2, what);
      assert.equal(serve.stdout, '');
      assert.match(
        serve.stderr,
        /^forebay: --admin-token-file [^\n]*; fix: [^\n]*openssl rand[^\n]*\n$/,
      );
      assert.match(serve.stderr, why);
      assert.doesNotMatch(serve.stderr, new RegExp(TOKEN));
    }
    const missing = ['--admin-token-file', '/no/such/file', '--mode', 'direct'];
    const serve = await runForebay(['serve', ...missing]);
    assert.equal(serve.code, 1);
    assert.match(
      serve.stderr,
      /^forebay: --admin-token-file \/no\/such\/file: there is no such file; fix: [^\n]*\n$/,
    );
    const check = await runForebay(['check', ...missing]);
    assert.equal(check.code, 1);
    assert.match(check.stdout, /^fail {2}admin access.*there is no such file\n.*fix:/m);
  });

  it('that everybody can read is told by serve and check, and one of the owner and group is not', async (t) => {
    for (const mode of [0o644, 0o640]) {
      const file = tokenFile(t, TOKEN, mode);
      const flags = ['--admin-token-file', file];
      const forebay = await startForebay(flags, { owner: t });
      const lines = forebay.stderr.match(/"admin-token-readable".*chmod 600/g)?.length ?? 0;
      assert.equal(lines, mode === 0o644 ? 1 : 0);
      const ports = ['--port', '0', '--admin-port', '0', '--data', `${file}-data`];
      const { stdout } = await runForebay(['check', ...flags, ...ports]);
      const finding =
        mode === 0o644 ? /^warn {2}admin access.*can read/m : /^ok {4}admin access {3}1 token$/m;
      assert.match(stdout, finding);
    }
  });

  it('is taken up when it changes, with viewers that no longer may watch sent away', async (t) => {
    const file = tokenFile(t, TOKEN);
    const forebay = await startForebay(['--admin-token-file', file], { owner: t });
    const statusOf = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      return (await fetch(`${forebay.adminUrl}/metrics`, { headers })).status;
    };
    const stream = await fetch(`${forebay.adminUrl}/live`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    const watched = stream.text();
    assert.deepEqual([await statusOf(TOKEN), await statusOf(OTHER)], [200, 401]);
    writeFileSync(file, `${OTHER}\n${TOKEN}\n`);
    await eventually('the new token is in use', async () => (await statusOf(OTHER)) === 200);
    assert.equal(await statusOf(TOKEN), 200);
    assert.match(await watched, /^event: hello/);
    writeFileSync(file, 'short');
    await eventually('it is refused', () => forebay.stderr.includes('"admin-token-refused"'));
    assert.match(forebay.stderr, /line 1: a token has 16 to 512 characters/);
    assert.deepEqual([await statusOf(TOKEN), await statusOf(OTHER)], [200, 200]);
    writeFileSync(file, OTHER);
    await eventually('the old token is out', async () => (await statusOf(TOKEN)) === 401);
    assert.equal(await statusOf(OTHER), 200);
    assert.doesNotMatch(forebay.stderr, new RegExp(`${TOKEN}|${OTHER}`));
  });
});

describe('programs that ask a server with tokens', () => {
  it('forebay wave reads the metrics with the token of the file, and says what is missing without', async (t) => {
    const file = tokenFile(t, TOKEN);
    const forebay = await startForebay(['--admin-token-file', file], { owner: t });
    const wave = ['wave', '--rate-max', '20', '--period-s', '1', '--periods', '1'];
    const urls = ['--url', forebay.url, '--admin-url', forebay.adminUrl];
    const done = await runForebay([...wave, ...urls, '--admin-token-file', file]);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const refused = await runForebay([...wave, ...urls]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^forebay: cannot read \S+ \(the answer is 401\): name the --admin-token-file that the server has\n$/,
    );
  });

  it('forebay health needs none', async (t) => {
    const file = tokenFile(t, TOKEN);
    const forebay = await startForebay(['--admin-token-file', file], { owner: t });
    const { port } = new URL(forebay.adminUrl);
    for (const flags of [[], ['--ready']]) {
      const { code } = await runForebay(['health', ...flags, '--admin-port', port]);
      assert.equal(code, 0);
    }
  });
});

describe('an admin server that listens beyond this machine', () => {
  it('is told by serve and check, unless it asks for a token', async (t) => {
    const file = tokenFile(t, TOKEN);
    for (const [flags, isOpen] of [
      [['--admin-host', '0.0.0.0'], true],
      [['--admin-host', '0.0.0.0', '--admin-token-file', file], false],
      [['--admin-host', 'localhost'], false],
      [['--admin-host', '127.0.0.2'], false],
    ] as const) {
      const forebay = await startForebay(flags, { owner: t });
      await eventually('it is ready', () => forebay.stderr.includes('"ready"'));
      const line =
        /"level":"warn",[^\n]*"admin-open"[^\n]*--admin-host 0\.0\.0\.0[^\n]*--admin-token-file/;
      assert.equal(line.test(forebay.stderr), isOpen, `${flags}`);
      const ports = ['--port', '0', '--admin-port', '0', '--data', `${file}-data`];
      const { stdout } = await runForebay(['check', ...flags, ...ports]);
      assert.equal(/^warn {2}admin access.*everybody/m.test(stdout), isOpen, `${flags}`);
    }
  });
});
