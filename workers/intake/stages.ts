/** Puts the stages from socket to journal together, in whichever thread calls it. */
import { GroupCommit } from '../../src/commit/group-commit.js';
import { IdempotentIntake } from '../../src/idempotency/idempotent-intake.js';
import { ReceiptQuestions } from '../../src/intake/receipt-questions.js';
import { IntakeServer } from '../../src/intake/server.js';
import { openAppender } from '../../src/journal/open.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { CommitBell } from '../../src/memory/commit-bell.js';
import { KeyTable } from '../../src/memory/key-table.js';
import { ThreadCounts } from '../../src/metrics/count.js';
import type { Appender } from '../../src/model/journal.js';
import { OrderValidator } from '../../src/schema/validator.js';
import type { IntakeCommand, IntakeReport, IntakeThreadData } from './protocol.js';

/** How often the main thread is told whether the journal takes writes; milliseconds. */
const JOURNAL_CHECK_MS = 100;

export interface OpenIntake {
  /** Rejects with an OperatorFault when it cannot listen. */
  readonly obey: (command: IntakeCommand) => Promise<void>;
  /** Ends all connections at once. */
  readonly close: () => void;
}

/**
 * @param onStopped called when it was told to stop and has
 * @throws OperatorFault the journal cannot be opened
 */
export async function openIntake(
  data: IntakeThreadData,
  report: (message: IntakeReport) => void,
  onStopped: () => void,
): Promise<OpenIntake> {
  const { options } = data;
  const counts = new ThreadCounts(data.counts, data.countsIndex);
  const appender = await openAppender(
    options,
    data.directPort,
    counts,
    new ThreadCounts(data.counts, 0),
  );
  const committer = new GroupCommit(appender, options, counts, announcing(data.commitBell, report));
  const receipts = new ReceiptQuestions((questions) => report({ is: 'receipts', questions }));
  const keyed = new IdempotentIntake({
    table: new KeyTable(data.keys),
    nowNs: monotonicNs,
    validator: new OrderValidator(),
    committer,
    receipts,
    counts,
    bodyBytesMax: options.bodyBytesMax,
  });
  const limiter = data.limiter === null ? null : new WindowLimiter(data.limiter);
  const server = new IntakeServer({
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
  const stopWatching = watchJournal(appender, report);
  /** One told to stop while it starts must not listen any more: nobody would close that socket. */
  let stopping = false;

  async function stop(): Promise<void> {
    stopping = true;
    await server.stop(async () => {
      // First, because it takes no key over any more: what the committer has then is all there is.
      await keyed.drained();
      await committer.drained();
      receipts.close();
    });
    server.close();
    await appender.close();
    stopWatching();
    onStopped();
  }

  async function listen(port: number): Promise<void> {
    if (stopping) return;
    await server.listen(options.host, port);
    report({ is: 'listening' });
  }

  return {
    obey: async (command) => {
      if (command.do === 'receipts') receipts.answer(command.answers);
      else if (command.do === 'stop') await stop();
      else await listen(command.port);
    },
    close: () => server.close(),
  };
}

/** Tells the main thread of a new frame where it sleeps: awake, it looks by itself. */
function announcing(
  memory: SharedArrayBuffer | null,
  report: (message: IntakeReport) => void,
): () => void {
  if (memory === null) return () => {};
  const bell = new CommitBell(memory);
  return () => {
    if (bell.mustRing()) report({ is: 'committed' });
  };
}

function watchJournal(watched: Appender, report: (message: IntakeReport) => void): () => void {
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
