#!/usr/bin/env node
// Drives real k6 through the sine wave against the built server, in each mode and over each journal:
//   node scripts/wave-check.mjs                               a short wave
//   node scripts/wave-check.mjs --period 60 --summaries FOLDER  in full, with k6's figures as JSON
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startForebay } from '../dist/test/support/forebay.js';
import { NatsServer } from '../dist/test/support/nats.js';
import { ensureTool } from './tools.mjs';

const SCRIPT = fileURLToPath(new URL('../k6/sine.js', import.meta.url));
const LIMIT_RPS = 50;
const DRAIN_RPS = 60;

/** @typedef {{ mode: string, flags: readonly string[], nats?: boolean }} Check */
/** @type {Readonly<Record<string, Check>>} */
const CHECKS = {
  direct: { mode: 'direct', flags: ['--mode', 'direct', '--rps-limit', `${LIMIT_RPS}`] },
  local: { mode: 'queue', flags: ['--drain-rate', `${DRAIN_RPS}`] },
  jetstream: { mode: 'queue', flags: ['--drain-rate', `${DRAIN_RPS}`], nats: true },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    period: { type: 'string', default: '10' },
    periods: { type: 'string', default: '2' },
    summaries: { type: 'string', default: '' },
  },
});

/** What is still to be ended, last one first. */
const ends = [];

async function check(name) {
  const { mode, flags, nats = false } = CHECKS[name];
  const journal = [];
  if (nats) {
    const server = await NatsServer.start();
    ends.push(() => server.stop());
    journal.push('--nats', server.url);
  }
  const forebay = await startForebay([...flags, ...journal]);
  ends.push(() => forebay.kill9());
  const k6 = await runK6(name, {
    MODE: mode,
    URL: forebay.url,
    ADMIN_URL: forebay.adminUrl,
    LIMIT: `${LIMIT_RPS}`,
    DRAIN_RATE: `${DRAIN_RPS}`,
    PERIOD: values.period,
    PERIODS: values.periods,
  });
  const stopped = await forebay.stop();
  return { ok: k6 === 0 && stopped === 0, text: `k6 ended with ${k6}, forebay with ${stopped}` };
}

async function runK6(name, settings) {
  if (values.summaries !== '') {
    mkdirSync(values.summaries, { recursive: true });
    settings.SUMMARY = resolve(join(values.summaries, `${name}.json`));
  }
  const env = Object.entries(settings).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const k6 = spawn(await ensureTool('k6'), ['run', '--quiet', ...env, SCRIPT], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  ends.push(() => k6.kill('SIGKILL'));
  const [code] = await once(k6, 'exit');
  return code;
}

async function endAll() {
  for (const end of ends.splice(0).reverse()) await end();
}

async function main(names) {
  const verdicts = [];
  for (const name of names) {
    console.log(`\n== ${name}`);
    const verdict = await check(name)
      .catch((error) => ({ ok: false, text: error.message }))
      .finally(endAll);
    verdicts.push(`${verdict.ok ? 'ok  ' : 'FAIL'} wave, ${name}: ${verdict.text}`);
    if (!verdict.ok) process.exitCode = 1;
  }
  console.log(`\n${verdicts.join('\n')}`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => endAll().finally(() => process.exit(1)));
}
const unknown = positionals.filter((name) => CHECKS[name] === undefined);
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`);
  process.exitCode = 2;
} else {
  await main(positionals.length > 0 ? positionals : Object.keys(CHECKS));
}
