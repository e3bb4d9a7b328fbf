/** Connects the stages from the journal to the handler, in the thread that calls it. */
import type { MessagePort } from 'node:worker_threads';
import { FrameIds } from '../../src/commit/frame-id.js';
import type { HandFile } from '../../src/drain/hand-file.js';
import { leftIn, openHand } from '../../src/drain/open-hand.js';
import { restoreKeys } from '../../src/idempotency/key-table-setup.js';
import { openSource } from '../../src/journal/open.js';
import type { SourceHandle } from '../../src/journal/source-handle.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { KeyTable } from '../../src/memory/key-table.js';
import { WakeFlag } from '../../src/memory/wake-flag.js';
import { BLOCK, COUNTER, ThreadCounts } from '../../src/metrics/count.js';
import type { Log } from '../../src/model/log.js';
import { openProcessing, placedReceipt, scheduleOf } from './processing.js';
import type {
  DrainService,
  DrainState,
  DrainThreadData,
  DrainToIntake,
  IntakeToDrain,
  JournalState,
} from './protocol.js';
import { ReceiptReplies } from './receipt-replies.js';

export interface OpenedDrain extends Omit<DrainService, 'open'> {
  /** @param isDirect orders come through the port, and go to the pool */
  readonly serveIntake: (port: MessagePort, isDirect: boolean) => void;
}

/**
 * @param claimFolder resolves when the data folder, which exists then, belongs to this process
 * @throws OperatorFault it cannot begin; nothing is left open then
 */
export async function openStages(
  data: DrainThreadData,
  log: Log,
  claimFolder: () => Promise<void>,
): Promise<OpenedDrain> {
  const { options } = data;
  const schedule = scheduleOf(options);
  const counts = new ThreadCounts(data.counts, BLOCK.drain);
  const { journal, hand } =
    options.mode === 'direct'
      ? { journal: null, hand: null }
      : await openJournal(data, counts, log, claimFolder);
  const given = { options, log, schedule, handler: data.handler, journal, hand, counts };
  const { control, drain, steering } = openProcessing(given);
  const { due } = steering;
  const state = async (): Promise<DrainState> => ({
    journal: journal && journalState(journal),
    reason: drain.reason(),
    setting: control.setting,
    instances: control.instances(),
    backlogGoneAtMs: due.backlogGoneAtMs(),
    windowEndsAtMs: due.windowEndsAtMs(),
    scheduled: due.scheduledNow(),
    poolThreads: drain.threadIds.list(),
    failureReasons: drain.failureReasons(),
  });
  return {
    state,
    loadKeys: () => loadKeys(data, journal, log),
    loadHandler: drain.loadHandler,
    ready: async () => journal?.ready,
    begin: async () => {
      steering.start();
      drain.start();
    },
    change: async (change) => {
      await control.change(change);
      return state();
    },
    stopDrain: drain.stop,
    closeJournal: async () => journal?.close(),
    destroyPool: drain.destroyPool,
    end: async () => {
      steering.stop();
      hand?.close();
    },
    serveIntake: (port, isDirect) => {
      if (isDirect) drain.serveDirect(port);
      else serveIntake(port, journal, (id, index) => placedReceipt(journal, due, id, index));
    },
  };
}

function journalState({ source, durability, unreadable, storage }: SourceHandle): JournalState {
  return {
    name: source.name,
    reachable: source.reachable,
    reason: source.reason,
    pendingOrders: source.pendingOrders(),
    oldestAcceptedAtMs: source.oldestAcceptedAtMs(),
    deadLetters: source.deadLetters(),
    durability: durability(),
    unreadable: unreadable(),
    storage: storage(),
  };
}

function serveIntake(
  port: MessagePort,
  journal: SourceHandle | null,
  find: ConstructorParameters<typeof ReceiptReplies>[0],
): void {
  const receipts = new ReceiptReplies(find, (replies) =>
    port.postMessage({ replies } satisfies DrainToIntake),
  );
  port.on('message', (message: IntakeToDrain) => {
    if (message.type === 'receipts') receipts.reply(message.queries);
    else journal?.onCommitted?.();
  });
}

async function openJournal(
  { options, ...data }: DrainThreadData,
  counts: ThreadCounts,
  log: Log,
  claimFolder: () => Promise<void>,
): Promise<{ journal: SourceHandle; hand: HandFile | null }> {
  const intakeCounts = Array.from(
    { length: data.intakeThreads },
    (_, i) => new ThreadCounts(data.counts, BLOCK.intake + i),
  );
  const total = (counter: number) =>
    intakeCounts.reduce((sum, block) => sum + block.get(counter), 0);
  const ids = new FrameIds();
  const wakeFlag = new WakeFlag(data.wakeFlag);
  const opened: HandFile[] = [];
  const journal = await openSource(options, {
    newFrameId: () => ids.next(Date.now()),
    acceptedOrders: () => total(COUNTER.ordersAccepted),
    spooledOrders: () => total(COUNTER.ordersSpooled),
    failedKeyRows: () => total(COUNTER.keyRowsFailed),
    counts,
    log,
    requestWake: options.drain ? () => wakeFlag.set() : null,
    claimFolder: async () => {
      await claimFolder();
      const hand = openHand(options, log);
      if (hand !== null) opened.push(hand);
    },
    left: () => opened.flatMap((hand) => leftIn(hand, log)),
  });
  const [hand = null] = opened;
  // What it held is in the journal now.
  hand?.begin();
  return { journal, hand };
}

/** Before intake listens: a key that a client sends again must be known by then. */
async function loadKeys(
  { keys }: DrainThreadData,
  journal: SourceHandle | null,
  log: Log,
): Promise<void> {
  if (journal === null) return;
  const clocks = { nowNs: monotonicNs, nowMs: Date.now };
  const leftOut = await restoreKeys(new KeyTable(keys), journal.keys, clocks);
  if (leftOut === 0) return;
  log(
    'keys-left-out',
    'idempotency keys do not fit into --idempotency-keys-max and are forgotten',
    {
      keys: leftOut,
    },
  );
}
