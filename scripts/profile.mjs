#!/usr/bin/env node
// Runs the built server in a profiler under load, and writes an HTML page:
//   node scripts/profile.mjs flame                       0x: where the CPU time goes
//   node scripts/profile.mjs doctor                      clinic: event loop, memory, handles over time
//   node scripts/profile.mjs flame --seconds 20 --connections 128 -- --mode direct --rps-limit 0
// Options after -- go to forebay serve. The intake runs in the main thread, because profilers see no other thread.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readFlame } from './profile/read-flame.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist', 'src', 'main.js');
const LOAD = join(ROOT, 'scripts', 'profile', 'load.mjs');

/** npx downloads them on first use: see docs/reference/dependencies.md. */
const TOOLS = {
  flame: {
    package: '0x@6.0.0',
    command: (folder) => ['0x', '--output-dir', folder, '--'],
    page: (folder) => join(folder, 'flamegraph.html'),
    read: readFlame,
  },
  doctor: {
    package: 'clinic@13.0.0',
    command: (folder) => ['clinic', 'doctor', '--open=false', '--dest', folder, '--'],
    page: (folder) =>
      join(folder, readdirSync(folder).find((name) => name.endsWith('.html')) ?? ''),
    read: () => '',
  },
};

/** Time to download and start a profiler. */
const READY_MS_MAX = 300_000;
/** Time to process a profile after the server has stopped. */
const FINISH_MS_MAX = 180_000;
/** Longer profiles say no more and take long to process. */
const SECONDS_MAX = 60;

const HELP = `npm run profile:flame -- [options] [-- options of forebay serve]
npm run profile:doctor -- [options] [-- options of forebay serve]

Runs the built server in 0x or clinic doctor under load, and writes an HTML page to profiles/.
npx downloads the profiler on first use.

Options
  --seconds      duration of the load, 1 to ${SECONDS_MAX} (default 10)
  --connections  number of connections, 1 to 4096 (default 256)

Examples
  npm run profile:flame -- --seconds 20 -- --mode direct --rps-limit 0
  npm run profile:doctor -- -- --nats nats://127.0.0.1:4222
`;

async function profile({ tool, seconds, connections, serveFlags }) {
  const folder = join(ROOT, 'profiles', `${tool}-node${process.versions.node}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const data = mkdtempSync(join(tmpdir(), 'forebay-profile-'));
  const own = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0', '--log-format', 'json'];
  const serve = ['serve', '--threads', '0', ...own, '--data', data, ...serveFlags];
  const { package: name, command, page, read } = TOOLS[tool];
  const profiler = start(['-y', '-p', name, ...command(folder), 'node', MAIN, ...serve]);
  try {
    const { url, pid } = await profiler.ready;
    console.log(`${name} profiles ${url}, process ${pid}`);
    console.log(`load: ${await run(LOAD, [url, String(seconds), String(connections)])}`);
    process.kill(pid, 'SIGTERM');
    await within(FINISH_MS_MAX, profiler.ended, `${name} did not finish`);
  } finally {
    profiler.end();
    rmSync(data, { recursive: true, force: true });
  }
  if (!existsSync(page(folder)) || page(folder) === folder) {
    throw new Error(`${name} wrote no page to ${folder}:\n${profiler.output()}`);
  }
  process.stdout.write(read(folder));
  console.log(`open ${page(folder)}`);
}

/** Starts the profiler with the server in it, with the Node that runs this script, in its own process group. */
function start(args) {
  const child = spawn('npx', args, {
    cwd: tmpdir(),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
      NO_INSIGHT: '1',
    },
  });
  let output = '';
  const ended = once(child, 'close');
  const readied = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const url = /forebay ready: orders (\S+)/.exec(output)?.[1];
        const pid = /"event":"ready".*?"pid":(\d+)/.exec(output)?.[1];
        if (url !== undefined && pid !== undefined) resolve({ url, pid: Number(pid) });
      });
    }
  });
  const died = ended.then(([code]) => {
    throw new Error(
      `the profiler exited with code ${code} before the server was ready:\n${output}`,
    );
  });
  const ready = within(READY_MS_MAX, Promise.race([readied, died]), 'the server was not ready');
  died.catch(() => {});
  const end = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  return { ready, ended, end, output: () => output };
}

async function run(script, args) {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the load exited with code ${code}`);
  return stdout.trim();
}

async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function parse(argv) {
  const split = argv.indexOf('--') === -1 ? argv.length : argv.indexOf('--');
  const { values, positionals } = parseArgs({
    args: argv.slice(0, split),
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '256' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const [tool] = positionals;
  if (!Object.hasOwn(TOOLS, tool ?? ''))
    throw new Error('the first argument must be flame or doctor');
  const [seconds, connections] = [Number(values.seconds), Number(values.connections)];
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) {
    throw new Error(`--seconds ${values.seconds}: must be from 1 to ${SECONDS_MAX}`);
  }
  if (!(connections >= 1 && connections <= 4096)) {
    throw new Error(`--connections ${values.connections}: must be from 1 to 4096`);
  }
  return { tool, seconds, connections, serveFlags: argv.slice(split + 1) };
}

try {
  const asked = parse(process.argv.slice(2));
  if (asked === null) process.stdout.write(HELP);
  else await profile(asked);
} catch (error) {
  console.error(`profile: ${error.message}`);
  process.exitCode = 1;
}
