/** The entry of an intake thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { ThreadCounts } from '../../src/metrics/count.js';
import { publishThread } from '../../src/metrics/thread-beacon.js';
import { OperatorFault } from '../../src/model/fault.js';
import type { IntakeCommand, IntakeReport, IntakeThreadData } from './protocol.js';
import { type OpenIntake, openIntake } from './stages.js';

/** For what a thread that stops still holds, which should be nothing, before it is ended all the same; milliseconds. */
const LEFT_OVER_MS = 500;

const data = workerData as IntakeThreadData;
const main = parentPort!;
const report = (message: IntakeReport) => main.postMessage(message);

const counts = new ThreadCounts(data.counts, data.countsIndex);
counts.clearGauges();
const stopPublishing = publishThread(counts);

let intake: OpenIntake | null = null;

process.on('uncaughtException', (error) => {
  // uWebSockets.js aborts the whole process when a thread ends with sockets open.
  intake?.close();
  process.removeAllListeners('uncaughtException');
  endWithFault(error);
});

intake = await openIntake(data, report, () => {
  stopPublishing();
  main.close();
  // The thread has ended by then unless something keeps it, such as a connection that its client has forgotten. The
  // server's sockets are closed, so uWebSockets.js has nothing to abort the process over.
  setTimeout(() => process.exit(), LEFT_OVER_MS).unref();
}).catch(endWithFault);
main.on('message', (command: IntakeCommand) => void intake!.obey(command));
report({ is: 'open' });

/** An operator's fault is told in a line; anything else is a bug and keeps its stack. */
function endWithFault(error: unknown): never {
  if (!(error instanceof OperatorFault)) throw error;
  report({ is: 'fault', message: error.message, exitCode: error.exitCode });
  process.exit(error.exitCode);
}
