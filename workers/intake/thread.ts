/** The entry of an intake thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { ThreadCounts } from '../../src/metrics/count.js';
import { publishThreadStats } from '../../src/metrics/thread-stats.js';
import { OperatorFault } from '../../src/model/fault.js';
import type { IntakeCommand, IntakeReport, IntakeThreadData } from './protocol.js';
import { type IntakeHandle, openIntake } from './stages.js';

/** A thread that has stopped should end by itself. After this time it is ended even if something keeps it alive. */
const EXIT_MS_MAX = 500;

const data = workerData as IntakeThreadData;
const main = parentPort!;
const report = (message: IntakeReport) => main.postMessage(message);

const counts = new ThreadCounts(data.counts, data.countsIndex);
counts.clearGauges();
const stopPublishing = publishThreadStats(counts);

let intake: IntakeHandle | null = null;

process.on('uncaughtException', (error) => {
  // uWebSockets.js aborts the whole process when a thread ends with open sockets.
  intake?.close();
  process.removeAllListeners('uncaughtException');
  endWithFault(error);
});

let setOpened: () => void = () => {};
const journalOpened = new Promise<void>((resolve) => {
  setOpened = resolve;
});
let isAsked = false;
const opening = openIntake(data, report, journalOpened, () => {
  stopPublishing();
  main.close();
  // Something can keep the thread alive, for example a connection that its client has forgotten. The server's sockets
  // are closed, so uWebSockets.js does not abort the process.
  setTimeout(() => process.exit(), EXIT_MS_MAX).unref();
});
main.on('message', (command: IntakeCommand) => {
  if (command.type === 'open') {
    isAsked = true;
    setOpened();
  } else if (isAsked) void opening.then((opened) => opened.handle(command));
  // The server could not open the journal, or was stopped before it started.
  else if (command.type === 'stop') process.exit();
});
intake = await opening.catch(endWithFault);
report({ type: 'started' });

/** Reports an operator's fault in one line; anything else is a bug and keeps its stack. */
function endWithFault(error: unknown): never {
  if (!(error instanceof OperatorFault)) throw error;
  report({ type: 'fault', message: error.message, exitCode: error.exitCode });
  process.exit(error.exitCode);
}
