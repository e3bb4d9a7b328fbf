import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  clockFinding,
  coreFinding,
  limitFindings,
  memoryFinding,
  versionFinding,
} from '../../../src/cli/check/machine.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';
import { loadOptions } from '../../../src/options/load.js';
import { parseLimits } from '../../../src/options/process-limits.js';
import { runForebay } from '../../support/forebay.js';
import { runCheck, temporaryFolder } from './run-check.js';

const GIB = 1024 ** 3;
const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

describe('forebay check and the options', () => {
  it('lists each option that was set, with its origin and without passwords', async (t) => {
    const folder = temporaryFolder(t);
    const config = join(folder, 'options.json');
    writeFileSync(config, JSON.stringify({ 'drain-rate': 60, workers: 1 }));
    const args = ['check', '--json', '--mode', 'direct', '--config', config, '--port', '0'];
    const { stdout } = await runForebay(args, {
      FOREBAY_ADMIN_PORT: '0',
      FOREBAY_WORKERS: '2',
      FOREBAY_POSTGRES_URL: 'postgres://a:hunter2@db/x?sslpassword=hunter2&connect_timeout=3',
    });
    const { findings } = JSON.parse(stdout) as { findings: { about: string; text: string }[] };
    const texts = findings.filter(({ about }) => about === 'option').map(({ text }) => text);
    assert.deepEqual(texts.sort(), [
      '--admin-port 0 (FOREBAY_ADMIN_PORT)',
      `--drain-rate 60 (${config})`,
      '--mode direct (command line)',
      '--port 0 (command line)',
      '--postgres-url postgres://***@db/x?sslpassword=***&connect_timeout=3 (FOREBAY_POSTGRES_URL)',
      '--workers 2 (FOREBAY_WORKERS)',
    ]);
    assert.ok(!stdout.includes('hunter2'));
  });

  it('an unknown option ends it with one line and exit code 2', async () => {
    const { code, stdout, stderr } = await runForebay(['check', '--prot', '80']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^forebay: --prot: unknown option; did you mean --port\?\n$/);
  });

  it('direct mode: no journal and no data folder', async () => {
    const { code, findings, about } = await runCheck('--mode', 'direct');
    assert.equal(code, 0);
    assert.match(about('guarantee').text, /^none: /);
    assert.ok(!findings.some(({ about: what }) => /journal|folder|disk/.test(what)));
  });

  it('without --json: one line per finding, with its fix below', async (t) => {
    const data = join(temporaryFolder(t), 'none');
    const ports = ['--port', '0', '--admin-port', '0'];
    const args = ['check', ...ports, '--data', data, '--handler', 'nope.mjs'];
    const { code, stdout } = await runForebay(args);
    assert.equal(code, 2);
    assert.match(stdout, /^ok {4}port {11}any free port/m);
    assert.match(stdout, /^fail {2}handler {8}.*nope\.mjs.*\n {21}fix: /m);
    assert.match(stdout, /\n1 failure, \d+ warnings?\n$/);
  });
});

describe('forebay check and the limits of the process', () => {
  /** Runs node with a limit on its address space. */
  function limited(gib: number, ...args: string[]) {
    const script = `ulimit -v ${gib * 1024 ** 2}; exec "$@"`;
    const command = ['-c', script, 'sh', process.execPath, ...args];
    return spawnSync('sh', command, { encoding: 'utf8', timeout: 60_000 });
  }

  for (const [what, isThere] of [
    ['without a journal', false],
    ['with a journal', true],
  ] as const) {
    it(`too little address space for the journal fails, ${what}`, async (t) => {
      const data = join(temporaryFolder(t), 'data');
      if (isThere) await new LocalStore(data).close();
      const args = ['--json', '--port', '0', '--admin-port', '0', '--data', data];
      const { status, stdout } = limited(150, MAIN, 'check', ...args);
      assert.equal(status, 1, stdout);
      const { findings } = JSON.parse(stdout) as { findings: { verdict: string; text: string }[] };
      const failed = findings.filter(({ verdict }) => verdict === 'fail');
      assert.equal(failed.length, 1, stdout);
      assert.match(failed[0]!.text, /^limit 150 GiB; the journal maps 256 GiB/);
    });
  }

  it('too little address space ends serve and dlq with one line that has the fix', async (t) => {
    const data = join(temporaryFolder(t), 'data');
    await new LocalStore(data).close();
    for (const args of [
      ['serve', '--port', '0', '--admin-port', '0'],
      ['dlq', 'list'],
    ]) {
      const { status, stderr } = limited(150, MAIN, ...args, '--data', data);
      assert.equal(status, 1, stderr);
      assert.match(
        stderr,
        /^forebay: \S+journal\.lmdb takes 256 GiB of address space .*, 150 GiB, leaves 14\d(\.\d)?: ulimit -v unlimited, or [^\n]*\n$/,
      );
    }
  });

  it('enough address space for one map is enough for all threads', (t) => {
    const data = join(temporaryFolder(t), 'data');
    const script = `
      import { LocalStore } from '${new URL('../../../src/journal/store/local-store.js', import.meta.url)}';
      const [one, other] = [new LocalStore('${data}'), new LocalStore('${data}', { mustExist: true })];
      await Promise.all([one.close(), other.close()]);
    `;
    const { status, stderr } = limited(300, '--input-type=module', '-e', script);
    assert.equal(status, 0, stderr);
  });

  it('are read from the text of the kernel', () => {
    const text = [
      'Limit                     Soft Limit           Hard Limit           Units     ',
      'Max open files            1024                 4096                 files     ',
      'Max address space         unlimited            unlimited            bytes     ',
    ].join('\n');
    assert.deepEqual(parseLimits(text), {
      openFiles: 1024,
      addressSpaceBytes: Number.POSITIVE_INFINITY,
    });
    const options = loadOptions(['--threads', '1', '--workers', '1'], {});
    const [files, space] = limitFindings(options, parseLimits(text), 256 * GIB);
    assert.equal(files!.verdict, 'warn');
    assert.match(files!.fix, /LimitNOFILE/);
    assert.equal(space!.verdict, 'ok');
  });

  it('too few open files fail, as the start does', () => {
    const limits = { openFiles: 200, addressSpaceBytes: Number.POSITIVE_INFINITY };
    const verdict = (...flags: string[]) => {
      const options = loadOptions(['--threads', '1', '--workers', '1', ...flags], {});
      return limitFindings(options, limits, 0)[0]!.verdict;
    };
    assert.equal(verdict(), 'warn');
    assert.equal(verdict('--connections-max', '20'), 'ok');
    assert.equal(verdict('--connections-max', '150'), 'fail');
    assert.equal(verdict('--threads', '8'), 'fail');
  });
});

describe('forebay check and the machine', () => {
  const options = loadOptions(['--threads', '2', '--workers', '2'], {});

  it('more threads than cores, or than the quota of the container, is a warning', () => {
    const machine = { cores: 4, coresQuota: null, memoryBytes: 8 * GIB };
    assert.equal(coreFinding(options, machine).verdict, 'ok');
    assert.equal(coreFinding(options, { ...machine, cores: 3 }).verdict, 'warn');
    assert.equal(coreFinding(options, { ...machine, coresQuota: 1.5 }).verdict, 'warn');
    const least = loadOptions(['--threads', '1', '--workers', '1'], {});
    assert.equal(coreFinding(least, { ...machine, cores: 1 }).verdict, 'ok');
  });

  it('less memory than handlers and keys may need is a warning', () => {
    const machine = { cores: 4, coresQuota: null, memoryBytes: 8 * GIB };
    assert.equal(memoryFinding(options, machine).verdict, 'ok');
    assert.equal(memoryFinding(options, { ...machine, memoryBytes: GIB / 4 }).verdict, 'warn');
  });

  it('a clock that was never set fails; a difference to NATS is a warning', () => {
    assert.equal(clockFinding(0, null).verdict, 'fail');
    assert.equal(clockFinding(Date.now(), null).verdict, 'ok');
    assert.equal(clockFinding(Date.now(), 300).verdict, 'ok');
    assert.equal(clockFinding(Date.now(), -60_000).verdict, 'warn');
  });

  it('an untested Node is a warning', () => {
    const versions = {
      ...{ forebay: '1', node: 'v22.1.0', lmdb: '1', natsClient: '1', uWebSockets: '1' },
    };
    assert.equal(versionFinding(versions).verdict, 'ok');
    assert.equal(versionFinding({ ...versions, node: 'v25.0.0' }).verdict, 'warn');
  });
});
