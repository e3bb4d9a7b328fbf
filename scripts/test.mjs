#!/usr/bin/env node
// Runs the compiled tests with node:test, the same way on every version of Node:
//   node scripts/test.mjs                          the tests for every change: minutes, and no program but nats-server
//   node scripts/test.mjs --all                    all tests
//   node scripts/test.mjs limit                    of all tests, the files whose path contains "limit"
//   node scripts/test.mjs --quick limit            the same, of the tests for every change
//   node scripts/test.mjs --test-name-pattern=wave flags are passed on to node
//
// A file named *.all.test.ts runs in --all only. It has that name if it needs a program other than nats-server, or if it takes
// more than 30 s alone on a machine with 2 cores. Cases with a second version of nats-server run in --all only too.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTool } from './tools.mjs';

// Where Debian keeps the tools of file systems: root's PATH does not always contain it.
process.env.PATH += ':/usr/sbin:/sbin';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, 'dist', 'test');

const OWN_FLAGS = ['--all', '--quick'];

/** What --all needs besides nats-server. A test that cannot do without says so when a program is missing. */
const ALL_TOOLS = [
  'nats-server-2.9',
  'promtool',
  'prometheus',
  'prometheus-nats-exporter',
  'chromium',
  'postgresql',
  'docker-compose',
  'hadolint',
  'helm',
  'kubeconform',
];

/** Ends a file that hangs. The longest takes 2 to 3 minutes; on half a core beside three others it took more than 10. */
const FILE_MS_MAX = 30 * 60 * 1000;
/** Most tests wait more than they compute: for a server to start, a lease to end, a wave to pass. */
const FILES_PER_CORE = 2;
const FILES_AT_ONCE_MAX = 4;

/** @returns {string[]} paths below dist/test */
function testFiles() {
  if (!existsSync(BUILT)) return [];
  return readdirSync(BUILT, { recursive: true })
    .filter((name) => name.endsWith('.test.js') && hasSource(name))
    .sort();
}

/** The compiler does not remove its output when a source file is removed. */
function hasSource(name) {
  return existsSync(join(ROOT, 'test', name.replace(/\.js$/, '.ts')));
}

function needsAll(name) {
  return name.endsWith('.all.test.js');
}

/** @returns {{ files: string[], skipped: number }} */
function choose(parts, isAll) {
  const named = testFiles().filter(
    (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
  );
  const files = isAll ? named : named.filter((name) => !needsAll(name));
  return { files, skipped: named.length - files.length };
}

async function main(args) {
  const flags = args.filter((arg) => arg.startsWith('-') && !OWN_FLAGS.includes(arg));
  const parts = args.filter((arg) => !arg.startsWith('-'));
  const isAll = args.includes('--all') || (parts.length > 0 && !args.includes('--quick'));
  const { files, skipped } = choose(parts, isAll);
  if (files.length === 0) {
    const what = parts.length > 0 ? `no test file matches ${parts.join(' ')}` : 'no tests';
    throw new Error(`${what}: run \`npm run build\` first, or see the folder test/`);
  }
  const env = { ...process.env, FOREBAY_TEST_ALL: isAll ? '1' : '' };
  env.FOREBAY_NATS_SERVER ||= await ensureTool('nats-server');
  // With a part, each file installs what it needs.
  if (isAll && parts.length === 0) await installAll();
  const note = `not run: ${skipped} files and the cases that need more programs or more time; \`npm run test:all\` runs them, \`npm test -- PART\` those whose path contains PART`;
  if (skipped > 0) console.log(note);
  const code = await runTests(files, flags, env);
  if (skipped > 0) console.log(note);
  process.exitCode = code;
}

async function installAll() {
  for (const tool of ALL_TOOLS) {
    await ensureTool(tool).catch((error) => console.log(`without ${tool}: ${error.message}`));
  }
}

/** @returns {Promise<number>} the exit code */
function runTests(files, flags, env) {
  const concurrency = Math.min(FILES_PER_CORE * availableParallelism(), FILES_AT_ONCE_MAX);
  const node = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${FILE_MS_MAX}`,
      ...flags,
      ...files.map((name) => relative(ROOT, join(BUILT, name))),
    ],
    { cwd: ROOT, env, stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => node.kill(signal));
  return new Promise((resolve) => node.once('exit', (code) => resolve(code ?? 1)));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
