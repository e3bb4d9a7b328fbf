#!/usr/bin/env node
// Runs the compiled tests with node:test, the same way on every version of Node:
//   node scripts/test.mjs                          all of them
//   node scripts/test.mjs limit                    the files whose path contains "limit"
//   node scripts/test.mjs --test-name-pattern=wave flags are passed on to node
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTool } from './tools.mjs';

// Where Debian keeps the tools of file systems: the PATH of root is not always one of a login.
process.env.PATH += ':/usr/sbin:/sbin';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, 'dist', 'test');

/** Under which name the tests find each tool's path. */
const TOOL_VARIABLES = {
  'nats-server': 'FOREBAY_NATS_SERVER',
  'nats-server-2.9': 'FOREBAY_NATS_SERVER_29',
  promtool: 'FOREBAY_PROMTOOL',
};

/** Only some tests want these, and they say so where one is missing. */
const OPTIONAL_TOOLS = ['prometheus-nats-exporter', 'docker-compose', 'hadolint'];

/** Against a hang, not against slowness: the longest test file takes a fraction of this. */
const TEST_MS_MAX = 4 * 60 * 1000;
/** Most tests wait more than they work: for a server to start, a lease to end, a wave to pass. */
const FILES_A_CORE = 2;
const FILES_AT_ONCE_MAX = 4;

function testFiles(filters) {
  if (!existsSync(BUILT)) return [];
  return readdirSync(BUILT, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .filter(hasSource)
    .map((name) => relative(ROOT, join(BUILT, name)))
    .sort();
}

/** The compiler does not remove what it made from a file that has since been removed. */
function hasSource(name) {
  return existsSync(join(ROOT, 'test', name.replace(/\.js$/, '.ts')));
}

async function toolPaths() {
  const paths = {};
  for (const [tool, variable] of Object.entries(TOOL_VARIABLES)) {
    paths[variable] = process.env[variable] || (await ensureTool(tool));
  }
  return paths;
}

async function main(args) {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const files = testFiles(args.filter((arg) => !arg.startsWith('-')));
  if (files.length === 0) throw new Error('no compiled tests match: run `npm run build` first');
  const env = { ...process.env, ...(await toolPaths()) };
  const optional = [...OPTIONAL_TOOLS, ...(env.FOREBAY_POSTGRES_BIN ? [] : ['postgresql'])];
  for (const tool of optional) await ensureTool(tool).catch(() => {});
  env.FOREBAY_CHROMIUM ||= await ensureTool('chromium').catch(() => '');
  const concurrency = Math.min(FILES_A_CORE * availableParallelism(), FILES_AT_ONCE_MAX);
  const node = spawn(
    process.execPath,
    [
      '--test',
      '--test-reporter=spec',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${TEST_MS_MAX}`,
      ...flags,
      ...files,
    ],
    { cwd: ROOT, env, stdio: 'inherit' },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => node.kill(signal));
  node.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
