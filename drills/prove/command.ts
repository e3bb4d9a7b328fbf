import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeStreams } from '../../src/journal/nats/remove-streams.js';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { EXIT_BY_SIGNAL, type StopSignals } from '../../src/model/stop-signals.js';
import { makeFolder } from '../make-folder.js';
import { Workspace } from '../processes.js';
import { type ProveOptions, parseProveOptions, proveHelp } from './options.js';
import { provePage } from './page.js';
import type { ProveRecord } from './record.js';
import { runProof } from './run.js';
import { ownStream } from './server-options.js';

export const help = proveHelp;

const NATS_MS_MAX = 10_000;

/**
 * `forebay prove`.
 *
 * @returns the exit code: whether every check held
 * @throws OperatorFault an option is wrong, or nothing could be measured
 */
export async function run(args: readonly string[], signals: StopSignals): Promise<number> {
  const options = parseProveOptions(args, process.env);
  const stream = ownStream(options.server);
  await requireNats(options, stream);
  const out = resolve(options.out);
  // Before the minutes that it takes, not after them.
  makeFolder('prove: --out', out);
  const data = resolve(options.server.data);
  // What there is not is made, as `serve` would, and removed again.
  const made = makeFolder('prove: --data', data);
  const workspace = await Workspace.open('prove', { folder: data, option: '--data' });
  tell(placesText(options, workspace.folder, stream));
  const stopped = stopSignal(signals);
  const result = await Promise.race([runProof(options, stream, workspace, tell), stopped]).finally(
    () => cleanUp(options, stream, workspace, made),
  );
  // The load may still be running.
  if (typeof result === 'number') process.exit(result);
  await writeFile(join(out, 'prove.json'), `${JSON.stringify(result, null, 1)}\n`);
  await writeFile(join(out, 'index.html'), provePage(result));
  process.stdout.write(summaryText(result, out));
  return result.ok ? EXIT.ok : EXIT.failed;
}

/** Without NATS every order would go to the spool: nothing would be proved of NATS, and the run would wait for it. */
async function requireNats({ server }: ProveOptions, stream: string): Promise<void> {
  if (server.nats.length === 0) return;
  try {
    // There are none yet: it only asks for their names.
    await removeStreams({ ...server, natsStream: stream }, NATS_MS_MAX);
  } catch (error) {
    const { message } = error as Error;
    throw new OperatorFault(
      `prove: --nats: ${message}; fix: start NATS, or correct --nats`,
      EXIT.failed,
    );
  }
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function placesText({ server }: ProveOptions, folder: string, stream: string): string {
  const ofNats = server.nats.length === 0 ? '' : `, and the streams ${stream}*`;
  return `uses ${folder}${ofNats}, and removes them at the end`;
}

/** Resolves with the exit code at the first signal. A second one ends the process at once. */
function stopSignal(signals: StopSignals): Promise<number> {
  return new Promise((done) => {
    signals.onStop((signal) => {
      signals.reset();
      tell(`prove: stopped by ${signal}, nothing is written`);
      done(EXIT_BY_SIGNAL[signal]);
    });
  });
}

/** @param made a folder that was not there before */
async function cleanUp(
  { server }: ProveOptions,
  stream: string,
  workspace: Workspace,
  made: string | null,
): Promise<void> {
  await workspace.close();
  if (made !== null) await rm(made, { recursive: true, force: true });
  if (server.nats.length === 0) return;
  try {
    await removeStreams({ ...server, natsStream: stream }, NATS_MS_MAX);
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(
      `forebay: prove: cannot remove the streams ${stream}*: ${message}; fix: remove them with \`nats stream rm\`\n`,
    );
  }
}

function summaryText({ checks }: ProveRecord, folder: string): string {
  const lines = checks.map(({ ok, isWarning, text }) => {
    const word = ok ? (isWarning ? 'note' : 'ok') : 'FAIL';
    return `${word.padEnd(4)} ${text}`;
  });
  return `${lines.join('\n')}\n${pathToFileURL(join(folder, 'index.html')).href}\n`;
}
