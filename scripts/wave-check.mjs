#!/usr/bin/env node
// Runs the k6 scripts of k6/ against the built server: the sine wave in each mode and with each
// journal, and the other loads in a short form:
//   node scripts/wave-check.mjs                               a short wave, and the others
//   node scripts/wave-check.mjs spike step                    only these
//   node scripts/wave-check.mjs direct --period-s 60 --summaries FOLDER  in full, with k6's figures as JSON
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startForebay } from '../dist/test/support/forebay.js';
import { NatsServer } from '../dist/test/support/nats.js';
import { ensureTool } from './tools.mjs';

const LIMIT_RPS = 50;
const DRAIN_RPS = 60;
/** In the short form, a single stall of a busy machine affects more than 1% of the requests. */
const P99_MS = '2000';

/**
 * @typedef {object} Check
 * @property {string} script under k6/
 * @property {readonly string[]} flags of the server
 * @property {Readonly<Record<string, string>>} settings of the script, see k6/settings.js
 * @property {boolean} [nats] whether the journal is JetStream
 */

/** @type {Readonly<Record<string, Check>>} */
const CHECKS = {
  direct: {
    script: 'sine',
    flags: ['--mode', 'direct', '--rps-limit', `${LIMIT_RPS}`],
    settings: { MODE: 'direct', LIMIT: `${LIMIT_RPS}` },
  },
  local: drained('sine', DRAIN_RPS, {}),
  jetstream: { ...drained('sine', DRAIN_RPS, {}), nats: true },
  // Seconds instead of minutes.
  spike: drained('spike', 100, { PEAK: '300', BEFORE: '2', HOLD: '3', AFTER: '5', P99_MS }),
  step: { script: 'step', flags: [], settings: { STEPS: '4', HOLD: '2', P99_MS } },
  soak: drained('soak', DRAIN_RPS, { DURATION: '8', P99_MS }),
};

/** @returns {Check} a server with this drain rate, and a load that judges it by the same rate */
function drained(script, drainRps, settings) {
  const rate = `${drainRps}`;
  return { script, flags: ['--drain-rate', rate], settings: { ...settings, DRAIN_RATE: rate } };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'period-s': { type: 'string', default: '10' },
    periods: { type: 'string', default: '2' },
    summaries: { type: 'string', default: '' },
  },
});

/** Ends what is running, the last one first. */
const ends = [];

async function check(name) {
  const { script, flags, settings, nats = false } = CHECKS[name];
  const journal = [];
  if (nats) {
    const server = await NatsServer.start();
    ends.push(() => server.stop());
    journal.push('--nats', server.url);
  }
  const forebay = await startForebay([...flags, ...journal]);
  ends.push(() => forebay.kill9());
  const k6 = await runK6(name, script, {
    URL: forebay.url,
    ADMIN_URL: forebay.adminUrl,
    ...(script === 'sine' ? { PERIOD: values['period-s'], PERIODS: values.periods } : {}),
    ...settings,
  });
  const stopped = await forebay.stop();
  return { ok: k6 === 0 && stopped === 0, text: `k6 ended with ${k6}, forebay with ${stopped}` };
}

async function runK6(name, script, settings) {
  if (values.summaries !== '') {
    mkdirSync(values.summaries, { recursive: true });
    settings.SUMMARY = resolve(join(values.summaries, `${name}.json`));
  }
  const env = Object.entries(settings).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const k6 = spawn(await ensureTool('k6'), ['run', '--quiet', ...env, scriptFile(script)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  ends.push(() => k6.kill('SIGKILL'));
  const [code] = await once(k6, 'exit');
  return code;
}

function scriptFile(script) {
  return fileURLToPath(new URL(`../k6/${script}.js`, import.meta.url));
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
    verdicts.push(`${verdict.ok ? 'ok  ' : 'FAIL'} ${name}: ${verdict.text}`);
    if (!verdict.ok) process.exitCode = 1;
  }
  console.log(`\n${verdicts.join('\n')}`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => endAll().finally(() => process.exit(1)));
}
const unknown = positionals.filter((name) => CHECKS[name] === undefined);
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; must be one of ${Object.keys(CHECKS).join(', ')}`);
  process.exitCode = 2;
} else {
  await main(positionals.length > 0 ? positionals : Object.keys(CHECKS));
}
