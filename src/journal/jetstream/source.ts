import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../../model/backoff.js';
import type { Frame } from '../../model/frame.js';
import type { Delivery, Settlement, Source } from '../../model/journal.js';
import type { FrameProgress, LeftNote } from '../../model/left-orders.js';
import type { Receipt } from '../../model/receipt.js';
import type { LedgerLease } from '../ledger/lease.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LedgerHandle } from '../ledger/open.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { ACK_WAIT_MS } from '../nats/declarations.js';
import type { JetStreamNames } from '../nats/names.js';
import type { SettingsWatch } from '../nats/settings-watch.js';
import type { StreamRepair } from '../nats/stream-repair.js';
import { type Arrival, JetStreamArrivals } from './arrivals.js';
import { DeadLetterCount, JetStreamBacklog } from './backlog.js';
import { type Claim, DeliveredFrames, FrameClaims } from './delivered-frames.js';
import { ForeignMessages, type ForeignMessagesParts } from './foreign-messages.js';
import { OrphanedMessages } from './orphaned-messages.js';
import { JetStreamSettler, type SettlerParts } from './settlement.js';
import { Takeover } from './takeover.js';

export interface JetStreamSourceParts
  extends Pick<SettlerParts, 'storeKeys' | 'settleLocally' | 'log'>,
    Pick<ForeignMessagesParts, 'onForeign'> {
  /** Orders committed by all appenders of this process; never decreases. */
  readonly acceptedOrders: () => number;
  /** The longest that a retry is delayed; milliseconds. */
  readonly retryMsMax: number;
  /**
   * What became of an order.
   * @throws Error NATS does not answer
   */
  readonly receipt: (frameId: string, index: number) => Promise<Receipt>;
  /** Orders before one in a fresh frame of the stream, by what was settled; null where that is not known. */
  readonly ordersAhead: (frameId: string, index: number) => Promise<number | null>;
  /** Orders that this process has finished, also of frames that are not settled; by default, none of these. */
  readonly finishedOrders?: () => number;
  /** Recreates what is deleted on the server. */
  readonly repair: StreamRepair;
  /** Reports settings that keep orders from being delivered. */
  readonly watch: SettingsWatch;
  /** How long `close` waits for NATS to answer; milliseconds. */
  readonly closeMsMax: number;
  /** See OrphanedMessages. */
  readonly orphanedMsMin?: number;
}

/** How often a settlement checks whether the lease is valid again. */
const LEASE_POLL_MS = 50;

/** Reads the stream, and delivers the frames that this process could claim. */
export class JetStreamSource implements Source {
  readonly name = 'jetstream';
  readonly #connection: JetStreamConnection;
  readonly #arrivals: JetStreamArrivals;
  readonly #delivered: DeliveredFrames;
  readonly #settler: JetStreamSettler;
  readonly #backlog: JetStreamBacklog;
  readonly #deadLetters: DeadLetterCount;
  readonly #closing = new AbortController();
  readonly #settling = new Set<Promise<void>>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #ledger: Ledger;
  readonly #lease: LedgerLease;
  readonly #repair: StreamRepair;
  readonly #watch: SettingsWatch;
  readonly #foreign: ForeignMessages;
  readonly #receipt: JetStreamSourceParts['receipt'];
  readonly #ordersAhead: JetStreamSourceParts['ordersAhead'];
  readonly #finishedOrders: () => number;
  readonly #claims = new FrameClaims();
  readonly #takeover: Takeover;
  readonly #closeMsMax: number;
  readonly #log: JetStreamSourceParts['log'];
  /** Frames that no pull has returned yet: of a round in progress, or of an aborted pull. */
  #arrived: Delivery[] = [];
  #round: Promise<void> | null = null;

  constructor(
    connection: JetStreamConnection,
    names: JetStreamNames,
    { ledger, lease, peers }: Pick<LedgerHandle, 'ledger' | 'lease' | 'peers'>,
    parts: JetStreamSourceParts,
  ) {
    const { acceptedOrders, retryMsMax, receipt, repair, log } = parts;
    this.#ledger = ledger;
    this.#lease = lease;
    lease.onTerm(() => this.#dropLost());
    this.#receipt = receipt;
    this.#ordersAhead = parts.ordersAhead;
    this.#finishedOrders = parts.finishedOrders ?? (() => 0);
    this.#closeMsMax = parts.closeMsMax;
    this.#log = log;
    this.#connection = connection;
    this.#repair = repair;
    this.#watch = parts.watch;
    this.#foreign = new ForeignMessages({ ...parts, connection, names });
    this.#delivered = new DeliveredFrames(retryMsMax, this.#foreign);
    const closing = this.#closing.signal;
    // Every settlement that waits for NATS listens to it.
    setMaxListeners(0, closing);
    const delivered = this.#delivered;
    const orphaned = new OrphanedMessages({ names, delivered, log, msMin: parts.orphanedMsMin });
    this.#arrivals = new JetStreamArrivals(connection, names, delivered, ledger, orphaned, repair);
    this.#takeover = new Takeover({ connection, names, delivered, ledger, lease, peers, log });
    this.#settler = new JetStreamSettler({
      ...parts,
      connection,
      names,
      delivered,
      ledger,
      closing,
    });
    this.#backlog = new JetStreamBacklog(names, acceptedOrders, () => peers.hasOthers(), repair);
    this.#deadLetters = new DeadLetterCount(names.deadStream, repair);
    this.#keepAlive = setInterval(() => {
      if (connection.up) delivered.keepAlive(connection.nc);
    }, ACK_WAIT_MS / 3);
    this.#keepAlive.unref();
    connection.onChange((up) => {
      if (!up) return this.#arrivals.abandon();
      void this.#backlog.start(connection.nc).catch(() => {});
      void this.#deadLetters.start(connection.nc).catch(() => {});
    });
  }

  /** Resolves when first reachable; rejects with an OperatorFault when it never will be. */
  get ready(): Promise<void> {
    return this.#connection.ready;
  }

  get reachable(): boolean {
    return this.#connection.up;
  }

  get reason(): string {
    const { reason } = this.#connection;
    return reason || this.#repair.reason || this.#watch.reason || this.#lease.reason;
  }

  async pull(framesMax: number, signal: AbortSignal, begunMax = 0): Promise<Delivery[]> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      if (this.#arrived.length > 0) return this.#arrived.splice(0, framesMax);
      this.#round ??= this.#arrive(framesMax, begunMax).finally(() => {
        this.#round = null;
      });
      await endedOrAborted(this.#round, signal);
    }
    return [];
  }

  pendingOrders(): number {
    return this.#backlog.orders();
  }

  oldestAcceptedAtMs(): number {
    return this.#backlog.oldestAcceptedAtMs();
  }

  /** Bytes of the stream of orders, as of the last second in which NATS answered. */
  storedBytes(): number {
    return this.#backlog.bytes();
  }

  get term(): number {
    return this.#lease.term;
  }

  receipt(frameId: string, index: number): Promise<Receipt> {
    return this.#receipt(frameId, index);
  }

  async ordersAhead(frameId: string, index: number): Promise<number | null> {
    const ahead = await this.#ordersAhead(frameId, index);
    const unsettled = Math.max(0, this.#finishedOrders() - this.#backlog.settledOrders);
    return ahead === null ? null : Math.max(0, Math.round(ahead - unsettled));
  }

  throughputOfAll(): number | null {
    return this.#backlog.throughputOfAll();
  }

  deadLetters(): number {
    return this.#deadLetters.kept();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#ledger.close();
    this.#repair.close();
    this.#watch.close();
    this.#foreign.close();
    this.#takeover.close();
    clearInterval(this.#keepAlive);
    this.#backlog.stop();
    this.#deadLetters.stop();
    this.#arrivals.abandon();
    // A frozen server answers nothing, and each wait for it has its own limit; this one bounds them all.
    await Promise.race([this.#handBack(), sleep(this.#closeMsMax, undefined, { ref: false })]);
    // Callers that still wait for an answer are rejected now, and settle locally.
    await this.#connection.close();
    await Promise.allSettled([this.#round, ...this.#settling]);
  }

  /** Waits until everything claimed is settled or released and the server knows it. */
  async #handBack(): Promise<void> {
    await Promise.allSettled([this.#round, ...this.#settling]);
    if (!this.#connection.up) return;
    const { nc } = this.#connection;
    await this.#ledger.release(this.#delivered.ids()).catch(() => {});
    if (!this.#connection.up) return;
    this.#delivered.releaseAll(nc);
    await nc.flush().catch(() => {});
  }

  async #arrive(framesMax: number, begunMax: number): Promise<void> {
    const arrivals = await this.#arrivals.round(framesMax, begunMax);
    const deliveries = arrivals.map((arrival) => this.#delivery(arrival));
    this.#reportInherited(deliveries.filter((_, i) => arrivals[i]!.isInherited));
    this.#arrived.push(...deliveries);
  }

  #reportInherited(inherited: readonly Delivery[]): void {
    const suspects = inherited.flatMap(({ left }) =>
      [...left.values()].filter(({ crashes }) => crashes > 0),
    );
    if (suspects.length === 0) return;
    this.#log(
      'crash-suspects',
      'another process died, and these orders of it may have been in progress: each of them runs alone',
      { orders: suspects.length },
    );
  }

  #delivery({ frame, seq, isInherited }: Arrival): Delivery {
    const left = this.#ledger.left(frame);
    const progress = this.#ledger.progress(frame.id);
    const claim = this.#claims.begin(frame.id);
    return {
      frame,
      // If another process had the frame, the progress is that of the other.
      begunMax: isInherited ? 0 : progress.begun,
      note: async (progress) => {
        if (claim.isLost) throw new Error('another process has the frame');
        await this.#ledger.note({ frameId: frame.id, ...progress });
      },
      get isLost() {
        return claim.isLost;
      },
      left: isInherited ? withSuspects(frame, left, progress) : left,
      startsAlone: async (crashes) => {
        const order = { frameId: frame.id, first: 0, count: 1 };
        await this.#ledger.announce({ ...order, crashes, isAlone: true });
      },
      settle: (settlement) => {
        const settled = this.#settle(frame, seq, settlement, claim);
        this.#settling.add(settled);
        return settled.finally(() => this.#settling.delete(settled));
      },
      release: () => {
        this.#claims.end(frame.id);
        if (!claim.isLost) void this.#release(frame.id);
      },
    };
  }

  /** A term begins: drops what other processes have claimed meanwhile. */
  #dropLost(): void {
    for (const frameId of this.#claims.dropLost((id) => this.#ledger.isOurs(id))) {
      this.#delivered.settled(frameId);
    }
    this.#arrived = this.#arrived.filter(({ isLost }) => !isLost);
  }

  /** In this order: the process that gets the frame next must find it unclaimed. */
  async #release(frameId: string): Promise<void> {
    await this.#ledger.release([frameId]).catch(() => {});
    this.#delivered.release(frameId, this.#connection.up ? this.#connection.nc : null);
  }

  async #settle(frame: Frame, seq: number, settlement: Settlement, claim: Claim): Promise<void> {
    await this.#untilLeased();
    if (claim.isLost) return;
    this.#backlog.settleStarts();
    const isDone = await this.#settler.settle(frame, settlement);
    if (isDone) this.#deadLetters.filed(settlement.dead.length);
    const refiled = settlement.refile.reduce((sum, { positions }) => sum + positions.length, 0);
    this.#backlog.settleEnds(seq, isDone ? frame.count : 0, isDone ? refiled : 0);
    if (!isDone) return;
    this.#delivered.settled(frame.id);
    this.#claims.end(frame.id);
  }

  /** Or until the source is closed: the result is then stored by this process alone. */
  async #untilLeased(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#lease.term === 0 && !signal.aborted) {
      await pause(LEASE_POLL_MS, signal);
    }
  }
}

/**
 * The process that had the frame before is dead: what it had in progress may have killed it. One crash is assumed of the
 * orders of which none is known; it is not counted again when the frame moves on.
 */
function withSuspects(
  { count }: Frame,
  left: ReadonlyMap<number, LeftNote>,
  { begun, ended, failed }: FrameProgress,
): ReadonlyMap<number, LeftNote> {
  const all = new Map(left);
  const again = new Set(failed);
  for (let position = 0; position < Math.min(count, begun); position++) {
    if (position >= ended) {
      if (!all.has(position)) all.set(position, { crashes: 1, isAlone: false });
    } else if (!again.has(position)) all.set(position, { crashes: 0, isAlone: false });
  }
  return all;
}

/** Resolves when `work` has ended or `signal` is aborted, whichever is first. */
async function endedOrAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    work.then(done, done);
  });
}
