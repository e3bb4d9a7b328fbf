/** The entry of an intake thread: puts the stages from socket to journal together. */
import { parentPort, workerData } from 'node:worker_threads';
import { GroupCommit } from '../src/commit/group-commit.js';
import { OperatorFault } from '../src/contract/fault.js';
import type {
  IntakeCommand,
  IntakeReport,
  IntakeThreadData,
} from '../src/contract/intake-thread.js';
import type { Appender } from '../src/contract/journal.js';
import { KeyDesk } from '../src/idempotency/key-desk.js';
import { ReceiptQuestions } from '../src/intake/receipt-questions.js';
import { IntakeServer } from '../src/intake/server.js';
import { openAppender } from '../src/journal/open-appender.js';
import { monotonicNs } from '../src/limit/clock.js';
import { RpsMeter } from '../src/limit/meter.js';
import { WindowLimiter } from '../src/limit/window.js';
import { KeyTable } from '../src/memory/key-table.js';
import { ThreadCounts } from '../src/metrics/count.js';
import { publishThread } from '../src/metrics/thread-beacon.js';
import { OrderValidator } from '../src/validate/validator.js';

/** How often the main thread is told whether the journal takes writes; milliseconds. */
const JOURNAL_CHECK_MS = 100;
/** Between two announcements of new frames: each wakes the main thread; milliseconds. */
const ANNOUNCE_MS_MIN = 5;

const data = workerData as IntakeThreadData;
const { options } = data;
const main = parentPort!;
const report = (message: IntakeReport) => main.postMessage(message);

const counts = new ThreadCounts(data.counts, data.countsIndex);
counts.clearGauges();
const stopPublishing = publishThread(counts);

let server: IntakeServer | null = null;
/** A thread told to stop while it starts must not listen any more: nobody would close that socket. */
let stopping = false;

process.on('uncaughtException', (error) => {
  // uWebSockets.js aborts the whole process when a thread ends with sockets open.
  server?.close();
  process.removeAllListeners('uncaughtException');
  endWithFault(error);
});

const appender = await openAppender(
  options,
  data.directPort,
  counts,
  new ThreadCounts(data.counts, 0),
).catch(endWithFault);
const committer = new GroupCommit(appender, options, counts, announceTogether());
const receipts = new ReceiptQuestions((questions) => report({ is: 'receipts', questions }));
const keyed = new KeyDesk({
  table: new KeyTable(data.keys),
  nowNs: monotonicNs,
  validator: new OrderValidator(),
  committer,
  receipts,
  counts,
  bodyBytesMax: options.bodyBytesMax,
});
const limiter = data.limiter === null ? null : new WindowLimiter(data.limiter);
server = new IntakeServer({
  validator: new OrderValidator(),
  committer,
  keyed,
  receipts,
  counts,
  tryAdmit: limiter === null ? () => true : () => limiter.tryAdmit(),
  meter: new RpsMeter(data.meter),
  bodyBytesMax: options.bodyBytesMax,
  bodyMsMax: options.bodyMsMax,
});
const stopWatching = watchJournal(appender);
main.on('message', (command: IntakeCommand) => {
  if (command.do === 'receipts') receipts.answer(command.answers);
  else if (command.do === 'stop') void stop(server!);
  else if (!stopping) void listen(server!, command.port);
});
report({ is: 'open' });

/** An operator's fault is told in a line; anything else is a bug and keeps its stack. */
function endWithFault(error: unknown): never {
  if (!(error instanceof OperatorFault)) throw error;
  report({ is: 'fault', message: error.message, exitCode: error.exitCode });
  process.exit(error.exitCode);
}

async function listen(intake: IntakeServer, port: number): Promise<void> {
  await intake.listen(options.host, port);
  report({ is: 'listening' });
}

async function stop(intake: IntakeServer): Promise<void> {
  stopping = true;
  await intake.stop(async () => {
    // First, because it takes no key over any more: what the committer has then is all there is.
    await keyed.drained();
    await committer.drained();
    receipts.close();
  });
  intake.close();
  await appender.close();
  stopWatching();
  stopPublishing();
  main.close();
}

/** Tells the main thread of new frames: the first at once, those that follow closely together. */
function announceTogether(): () => void {
  let isResting = false;
  let isDue = false;
  const announce = () => {
    isResting = true;
    report({ is: 'committed' });
    setTimeout(() => {
      isResting = false;
      if (isDue) announce();
      isDue = false;
    }, ANNOUNCE_MS_MIN);
  };
  return () => {
    if (isResting) isDue = true;
    else announce();
  };
}

function watchJournal(watched: Appender): () => void {
  let told: string | null = null;
  const look = () => {
    const { reason } = watched;
    if (reason === told) return;
    told = reason;
    report({ is: 'journal', reason });
  };
  look();
  const timer = setInterval(look, JOURNAL_CHECK_MS);
  return () => clearInterval(timer);
}
