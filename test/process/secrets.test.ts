import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { serve } from '../../src/index.js';
import { type Ended, runForebay, startForebay } from '../support/forebay.js';
import { eventually } from '../support/orders.js';

/** Every printable character of ASCII, the space included. */
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)).join('');
const RAW = `s3cR3t${PRINTABLE}`;
const ENCODED = encodeURIComponent(RAW).replace(
  /[!'()*]/g,
  (c) => `%${c.charCodeAt(0).toString(16)}`,
);
/** Pieces of the password that no line may show, in any spelling. */
const PIECES = ['s3cR3t', '#$%', '%23%24', 'PQRSTUV', 'hijklmn', '[\\]', '%5B%5C', '{|}'];

const OPTIONS = ['nats', 'nats-monitor', 'postgres-url'] as const;
type Option = (typeof OPTIONS)[number];

/** Nobody listens on port 1. */
function urlOf(option: Option, password: string): string {
  if (option === 'nats') return `nats://bay:${password}@127.0.0.1:1`;
  if (option === 'nats-monitor') return `http://bay:${password}@127.0.0.1:1`;
  return `postgres://bay:${password}@127.0.0.1:1/db`;
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'forebay-secrets-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function assertSilent(text: string, what: string): void {
  for (const piece of PIECES) assert.ok(!text.includes(piece), `${what} shows ${piece}:\n${text}`);
}

/** The ways to give the value of an option: flags and variables. */
const SOURCES: Readonly<
  Record<string, (option: Option, value: string, dir: string) => [string[], Record<string, string>]>
> = {
  flag: (option, value) => [[`--${option}`, value], {}],
  'flag with =': (option, value) => [[`--${option}=${value}`], {}],
  variable: (option, value) => [[], { [variableOf(option)]: value }],
  file: (option, value, dir) => {
    writeFileSync(join(dir, 'secret'), `${value}\n`);
    return [[], { [`${variableOf(option)}_FILE`]: join(dir, 'secret') }];
  },
  config: (option, value, dir) => {
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ [option]: value }));
    return [['--config', join(dir, 'config.json')], {}];
  },
  'config that is not JSON': (option, value, dir) => {
    writeFileSync(join(dir, 'config.json'), `{"${option}": "${value}" x`);
    return [['--config', join(dir, 'config.json')], {}];
  },
};

function variableOf(option: Option): string {
  return `FOREBAY_${option.replaceAll('-', '_').toUpperCase()}`;
}

const END_AT_ONCE = ['--handler', '/no/such.mjs', '--port', '0', '--admin-port', '0'];

async function runEach(
  args: string[],
  env: Record<string, string>,
  data: string,
): Promise<Ended[]> {
  const more = ['--data', data];
  return Promise.all([
    runForebay(['serve', ...args, ...more, ...END_AT_ONCE], env),
    runForebay(['check', ...args, ...more, '--port', '0', '--admin-port', '0'], env),
    runForebay(['check', '--json', ...args, ...more, '--port', '0', '--admin-port', '0'], env),
  ]);
}

describe('a password never leaves the process', () => {
  for (const [name, give] of Object.entries(SOURCES)) {
    for (const option of OPTIONS) {
      it(`--${option} by ${name}: serve and check, valid and invalid`, async (t) => {
        const dir = folder(t);
        for (const password of [RAW, ENCODED]) {
          const [args, env] = give(option, urlOf(option, password), dir);
          for (const { stdout, stderr } of await runEach(args, env, join(dir, 'data'))) {
            assertSilent(stdout + stderr, `--${option}`);
            assert.ok((stdout + stderr).length > 0);
            assert.doesNotMatch(stderr, /^ +at /m, 'a stack trace');
          }
        }
      });
    }
  }

  it('dlq, wave, and words in the wrong place', async () => {
    const url = urlOf('nats', RAW);
    for (const args of [
      ['dlq', 'list', '--nats', url],
      ['dlq', 'list', '--nats', urlOf('nats', ENCODED)],
      ['dlq', 'list', url],
      ['dlq', 'list', `--natz=${url}`],
      ['dlq', url],
      [url],
      ['serve', url],
      ['serve', '--port', url],
      ['serve', '--handler', url, '--mode', 'direct', '--port', '0', '--admin-port', '0'],
      ['serve', '--config', url],
      ['wave', '--url', urlOf('nats-monitor', ENCODED)],
      ['wave', '--admin-url', urlOf('nats-monitor', ENCODED)],
      ['wave', url],
      ['story', '--out', url, url],
    ]) {
      const { stdout, stderr, code } = await runForebay(args);
      assertSilent(stdout + stderr, args.join(' '));
      assert.notEqual(code, 0, args.join(' '));
    }
  });

  it('the log, /readyz, the live page and /metrics of a server that cannot reach NATS', async (t) => {
    const flags = [
      '--nats',
      urlOf('nats', ENCODED),
      '--nats-monitor',
      urlOf('nats-monitor', ENCODED),
    ];
    const forebay = await startForebay([...flags, '--log-level', 'trace'], { owner: t });
    const body = async (path: string) => (await fetch(`${forebay.adminUrl}${path}`)).text();
    await eventually('it says why', async () => (await body('/readyz')).includes('NATS'));
    assertSilent(await body('/readyz'), '/readyz');
    assertSilent(await body('/metrics'), '/metrics');
    const live = await fetch(`${forebay.adminUrl}/live`);
    const reader = live.body!.getReader();
    assertSilent(Buffer.from((await reader.read()).value!).toString(), '/live');
    await reader.cancel();
    await forebay.stop();
    assertSilent(forebay.stdout + forebay.stderr, 'the log');
    // Said once, with what to type.
    const warnings = forebay.stderr.match(/"event":"secret-exposed"/g);
    assert.equal(warnings?.length, 1, forebay.stderr);
    assert.match(forebay.stderr, /FOREBAY_NATS.*FOREBAY_NATS_FILE/);
  });

  it('the errors of serve()', async (t) => {
    const data = folder(t);
    for (const options of [
      { nats: [urlOf('nats', RAW)] },
      { postgresUrl: urlOf('postgres-url', RAW) },
      { nats: [urlOf('nats', ENCODED)], handler: '/no/such.mjs' },
      { natsMonitor: [urlOf('nats-monitor', RAW)] },
    ]) {
      const given = { host: '127.0.0.1', port: 0, adminPort: 0, data, logLevel: 'silent' as const };
      await assert.rejects(serve({ ...given, ...options }), (error: Error) => {
        assertSilent(`${error.message}${error.stack}`, 'the error');
        return true;
      });
    }
  });
});
