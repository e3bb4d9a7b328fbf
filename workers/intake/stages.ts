/** Connects the stages from socket to journal, in the thread that calls it. */
import { chmodSync } from 'node:fs';
import { GroupCommit } from '../../src/commit/group-commit.js';
import { IdempotentIntake } from '../../src/idempotency/idempotent-intake.js';
import { keyFinder } from '../../src/idempotency/key-in-order.js';
import { ReceiptQueries } from '../../src/intake/receipt-queries.js';
import { IntakeServer } from '../../src/intake/server.js';
import { openAppender } from '../../src/journal/open.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { RpsMeter } from '../../src/limit/meter.js';
import { WindowLimiter } from '../../src/limit/window.js';
import { KeyTable } from '../../src/memory/key-table.js';
import { WakeFlag } from '../../src/memory/wake-flag.js';
import { BLOCK, ThreadCounts } from '../../src/metrics/count.js';
import { OperatorFault } from '../../src/model/fault.js';
import type { Appender } from '../../src/model/journal.js';
import type { OrdersAddress } from '../../src/model/listen.js';
import type { TlsMaterial } from '../../src/model/tls.js';
import { compileContract } from '../../src/schema/validator.js';
import type { DrainToIntake, IntakeToDrain } from '../drain/protocol.js';
import { loadEngine } from './engine.js';
import { openGate } from './gate.js';
import type { IntakeCommand, IntakeReport, IntakeThreadData } from './protocol.js';
import { openSenders } from './senders.js';

/** Interval at which the supervisor is told whether the journal accepts writes. */
const JOURNAL_CHECK_MS = 100;

/** Of a unix socket: a proxy of the same group may connect. */
const SOCKET_MODE = 0o660;

export interface IntakeHandle {
  /** Rejects with an OperatorFault if it cannot listen. */
  readonly handle: (command: IntakeCommand) => Promise<void>;
  /** Ends all connections at once. */
  readonly close: () => void;
}

/**
 * @param journalOpened resolves when the drain thread has opened the journal
 * @param onStopped called when a stop command has been carried out
 * @throws OperatorFault the journal cannot be opened
 */
export async function openIntake(
  data: IntakeThreadData,
  report: (message: IntakeReport) => void,
  journalOpened: Promise<void>,
  onStopped: () => void,
): Promise<IntakeHandle> {
  const { options, contract } = data;
  const counts = new ThreadCounts(data.counts, data.countsIndex);
  const appender = await openAppender(
    options,
    data.directPort,
    counts,
    new ThreadCounts(data.counts, BLOCK.drain),
    journalOpened,
  );
  const toDrain = (message: IntakeToDrain) => data.drainPort.postMessage(message);
  const onCommitted = commitReporter(data.wakeFlag, toDrain);
  const committer = new GroupCommit(appender, options, counts, onCommitted, contract.digest);
  const receipts = new ReceiptQueries((queries) => toDrain({ type: 'receipts', queries }));
  data.drainPort.on('message', ({ replies }: DrainToIntake) => receipts.receive(replies));
  const openValidator = compileContract(contract, options);
  const keyed = new IdempotentIntake({
    table: new KeyTable(data.keys),
    nowNs: monotonicNs,
    validator: openValidator(),
    committer,
    receipts,
    counts,
    keyIn: keyFinder(options.idempotencyFrom),
    bodyBytesMax: options.bodyBytesMax,
  });
  const senders = openSenders(data);
  /** Clients of a unix socket have no address. */
  let tcpPort = 0;
  const server = new IntakeServer(
    {
      validator: openValidator(),
      committer,
      keyed,
      receipts,
      counts,
      limiter: data.limiter === null ? null : new WindowLimiter(data.limiter),
      senders: senders.known,
      meter: new RpsMeter(data.meter),
      options,
      gate: openGate(data, counts, () => tcpPort, report),
      tls: data.tls,
    },
    await loadEngine(data.engine),
  );
  const stopWatching = watchJournal(appender, report);
  const port = listenerOf(server, data.sharesPort, report);
  async function stop(): Promise<void> {
    await server.stop(() => answerAll(keyed, committer, receipts));
    server.close();
    await appender.close();
    data.drainPort.close();
    stopWatching();
    onStopped();
  }

  async function handle(command: IntakeCommand): Promise<void> {
    if (command.type === 'endConnections') server.endConnections();
    else if (command.type === 'stopListening') await port.close();
    else if (command.type === 'stop') await stop();
    else if (command.type === 'tls') renewTls(server, command.tls, report);
    else if (command.type === 'listen') {
      if ('port' in command.at) tcpPort = command.at.port;
      await port.open(command.at);
    } else if (command.type === 'senders') {
      senders.renew(command.senders);
      report({ type: 'senders' });
    }
  }

  return { handle, close: () => server.close() };
}

async function answerAll(
  keyed: IdempotentIntake,
  committer: GroupCommit,
  receipts: ReceiptQueries,
): Promise<void> {
  // First, because requests that wait for a key can still hand their order to the committer.
  await keyed.drained();
  await committer.drained();
  receipts.close();
}

/** A certificate that the engine cannot use must not end the thread. */
function renewTls(
  server: IntakeServer,
  tls: TlsMaterial,
  report: (message: IntakeReport) => void,
): void {
  try {
    server.renewTls(tls);
    report({ type: 'tls', why: '' });
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    report({ type: 'tls', why: error.message });
  }
}

/** An intake that is stopped while it starts must not listen: nothing would close that socket. */
function listenerOf(
  server: IntakeServer,
  isShared: boolean,
  report: (message: IntakeReport) => void,
): { open: (at: OrdersAddress) => Promise<void>; close: () => Promise<void> } {
  let isClosed = false;
  return {
    open: async (at) => {
      if (isClosed) return;
      await server.listen({ at, isShared });
      if ('path' in at) chmodSync(at.path, SOCKET_MODE);
      report({ type: 'listening' });
    },
    close: async () => {
      isClosed = true;
      await server.stopListening();
      report({ type: 'deaf' });
    },
  };
}

/** Reports a durable frame only if the drain thread sleeps: while it is awake it polls. */
function commitReporter(
  memory: SharedArrayBuffer,
  toDrain: (message: IntakeToDrain) => void,
): () => void {
  const wakeFlag = new WakeFlag(memory);
  return () => {
    if (wakeFlag.take()) toDrain({ type: 'committed' });
  };
}

function watchJournal(appender: Appender, report: (message: IntakeReport) => void): () => void {
  let reported: string | null = null;
  const check = () => {
    const { reason, spoolReason = '' } = appender;
    const both = `${reason}\n${spoolReason}`;
    if (both === reported) return;
    reported = both;
    report({ type: 'journal', reason, spoolReason });
  };
  check();
  const timer = setInterval(check, JOURNAL_CHECK_MS);
  return () => clearInterval(timer);
}
