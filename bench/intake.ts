/**
 * `npm run bench`: how many orders a second Forebay takes, as a share of what bare uWebSockets.js
 * answers in the same run on the same machine, with its memory under that load and its time to
 * ready. The contenders take turns, so that a slow spell of the machine meets them all.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readServer } from '../k6/lib/metrics-text.js';
import { answers } from '../src/contract/answers.js';
import { type Contender, contenders, type Running } from './contenders.js';
import { type LoadOptions, load, ORDER, wrkProgram } from './load.js';
import { type Round, table, toJson, toRows } from './report.js';

/** Long enough for V8 to have compiled what is hot: with 1 s it still compiles within the measurement. */
const WARM_UP_S = 3;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '256' },
      only: { type: 'string', default: '' },
      json: { type: 'string', default: '' },
    },
  });
  const [seconds, rounds, connections] = [values.seconds, values.rounds, values.connections].map(
    positive,
  ) as [number, number, number];
  const options = { wrk: await wrkProgram(), seconds, connections };
  const chosen = contenders.filter(
    ({ name, ratioMin }) => ratioMin === null || name.includes(values.only),
  );
  const results = new Map<Contender, Round[]>(chosen.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, seen] of results) {
      const result = await drive(contender, options);
      seen.push(result);
      const rate = Math.round(result.requestsPerSecond);
      console.error(
        `round ${round} of ${rounds}, ${contender.name}: ${rate}/s, errors ${result.errors}`,
      );
    }
  }
  const rows = toRows(results);
  console.log(table(rows, options, rounds));
  if (values.json !== '') await writeFile(values.json, toJson(rows, options, rounds));
  if (rows.some(({ errors }) => errors > 0)) process.exitCode = 1;
}

async function drive(contender: Contender, options: LoadOptions): Promise<Round> {
  const server = await contender.start();
  try {
    await checkAnswer(server.url);
    await load(server.url, { ...options, seconds: WARM_UP_S });
    const doneBefore = await doneOrders(server);
    const cpuBeforeS = await cpuSeconds(server.pid);
    const result = await load(server.url, options);
    const cpuS = (await cpuSeconds(server.pid)) - cpuBeforeS;
    const donePerSecond = ((await doneOrders(server)) - doneBefore) / options.seconds;
    return {
      ...result,
      donePerSecond,
      cpuUs: (cpuS * 1e6) / (result.requestsPerSecond * options.seconds),
      residentMb: await residentMaxMb(server.pid),
      readyMs: server.readyMs,
    };
  } finally {
    await server.stop();
  }
}

/** A benchmark of wrong answers is worth nothing. */
async function checkAnswer(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/orders`, { method: 'POST', headers, body: ORDER });
  const body = await response.text();
  if (response.status !== answers.created.status || body !== answers.created.body) {
    throw new Error(`${url} answers ${response.status} ${body}`);
  }
}

async function doneOrders({ adminUrl }: Running): Promise<number> {
  if (adminUrl === null) return 0;
  const response = await fetch(`${adminUrl}/metrics`);
  return readServer(await response.text()).doneOrders;
}

/** User and system time that the process has used so far. NaN where there is no /proc. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): behind the name in brackets, fields 14 and 15 in ticks of USER_HZ, a hundredth of a second.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that the process has held so far. NaN where there is no /proc. */
async function residentMaxMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) throw new Error(`${text}: a whole number above 0`);
  return value;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
