/** The entry of the drain thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BLOCK, ThreadCounts } from '../../src/metrics/count.js';
import { nameThread, publishThreadStats } from '../../src/metrics/thread-stats.js';
import type { Log } from '../../src/model/log.js';
import type { DrainCommand, DrainReport, DrainThreadData } from './protocol.js';
import { sentError } from './sent-error.js';
import { type OpenedDrain, openStages } from './stages.js';

/** A thread that has stopped should end by itself. After this time it is ended even if something keeps it alive. */
const EXIT_MS_MAX = 500;

const data = workerData as DrainThreadData;
const main = parentPort!;
const report = (message: DrainReport) => main.postMessage(message);
const log: Log = (event, message, fields = {}) => {
  const sent = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? sentError(value) : value,
  ]);
  report({ type: 'log', event, message, fields: Object.fromEntries(sent) });
};

nameThread('forebay-drain');
const stopPublishing = publishThreadStats(new ThreadCounts(data.counts, BLOCK.drain));
const intakePorts: MessagePort[] = [];
let onClaimed: () => void = () => {};
/** Whether `open` has something open, or will have. */
let isOpening = false;
let isAbandoned = false;
let setOpened: (opened: Promise<OpenedDrain>) => void = () => {};
const opened = new Promise<OpenedDrain>((resolve) => {
  setOpened = resolve;
});

// The thread goes on: the main thread stops the server in order, and this thread has to do its part.
process.on('uncaughtException', (error) => report({ type: 'bug', error: sentError(error) }));

main.on('message', (command: DrainCommand) => {
  if (command.type === 'call') void answer(command);
  else if (command.type === 'claimed') onClaimed();
  else if (command.type === 'abandon') void abandon();
  else void serveIntake(command);
});

async function answer({ id, call, given }: Extract<DrainCommand, { type: 'call' }>): Promise<void> {
  try {
    const value = await (call === 'open' ? open() : (await opened)[call](given as never));
    report({ type: 'answer', id, value });
    if (call === 'end') leave();
  } catch (error) {
    report({ type: 'failure', id, error: sentError(error) });
  }
}

async function open(): ReturnType<OpenedDrain['state']> {
  isOpening = true;
  const claim = () => {
    isOpening = false;
    if (isAbandoned) process.exit();
    return new Promise<void>((resolve) => {
      onClaimed = () => {
        isOpening = true;
        resolve();
      };
      report({ type: 'folder' });
    });
  };
  const stages = openStages(data, log, claim);
  setOpened(stages);
  return (await stages).state();
}

/** What is open is closed in order: a journal that is not looks as after a crash. */
async function abandon(): Promise<void> {
  // Told twice if the opening fails too.
  if (isAbandoned) return;
  isAbandoned = true;
  if (isOpening) {
    try {
      const { destroyPool, closeJournal, end } = await opened;
      await closeJournal();
      await destroyPool();
      await end();
    } catch {
      // It could not be opened, or cannot be closed.
    }
  }
  process.exit();
}

async function serveIntake({ port, isDirect }: Extract<DrainCommand, { type: 'intake' }>) {
  intakePorts.push(port);
  (await opened).serveIntake(port, isDirect);
}

function leave(): void {
  stopPublishing();
  for (const port of intakePorts) port.close();
  main.close();
  setTimeout(() => process.exit(), EXIT_MS_MAX).unref();
}
