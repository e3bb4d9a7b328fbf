import { Backoff } from '../../model/backoff.js';
import type { Frame } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import { deadLettersOf, refiledFrame, refiledFrameId } from '../frame/refile.js';
import type { Ledger } from '../ledger/ledger.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { deadLetterPublication, framePublication } from '../nats/headers.js';
import { type AckableMessage, removeMessage } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import type { Publication } from '../nats/publisher.js';
import { type OutgoingDeadLetter, spoolDeadLetter } from '../store/dead-letter-rows.js';
import { putLater } from '../store/frame-rows.js';
import { GROUP_BYTES_MAX, type GroupedWrites } from '../store/grouped-writes.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import { recordSettled, type SettledFrame, settledFrame } from '../store/receipt-rows.js';
import type { DeliveredFrames } from './delivered-frames.js';

export interface SettlerParts {
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly delivered: DeliveredFrames;
  readonly ledger: Ledger;
  /**
   * Stores the idempotency keys of a frame for longer than the frame.
   * @throws Error the disk takes no writes
   */
  readonly storeKeys: (frame: Frame) => Promise<void>;
  /**
   * Stores a settlement that NATS could not be told.
   * @throws Error the disk takes no writes
   */
  readonly settleLocally: (end: PreparedSettlement) => Promise<void>;
  readonly log: Log;
  /** Aborted when the source is closed; ends the retries. */
  readonly closing: AbortSignal;
}

const ATTEMPT_MS_MAX = 2000;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

/**
 * Settles frames in JetStream. First stores what is refiled or dead, each under a message id that makes a retry
 * harmless; then tells the ledger, so that no duplicate of the frame is processed; then acknowledges the message and
 * waits for the confirmation.
 */
export class JetStreamSettler {
  readonly #parts: SettlerParts;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /** False when the source was closed before NATS knew: the frame will be delivered again. */
  async settle(frame: Frame, settlement: Settlement): Promise<boolean> {
    const end = this.#end(frame, settlement);
    const { ledger, storeKeys } = this.#parts;
    if (!(await this.#stored(end))) return this.#settleForNextStart(end);
    if (frame.keys.length > 0) {
      const store = () => storeKeys(frame);
      if (!(await this.#untilDone(frame.id, store, false))) return false;
    }
    try {
      await ledger.settle(end.settled);
    } catch {
      return this.#settleForNextStart({ ...end, refiled: [], dead: [] });
    }
    let failures = 0;
    return this.#untilDone(frame.id, async () => {
      const messages = this.#parts.delivered.messages(frame.id);
      const isLost = failures++ > 0;
      await Promise.all(messages.map((message) => this.#remove(frame.id, message, isLost)));
    });
  }

  /** False when the source was closed before everything refiled or dead was stored. */
  async #stored(end: PreparedSettlement): Promise<boolean> {
    const publications = this.#publications(end);
    if (publications.length === 0) return true;
    const stored = await Promise.all(
      publications.map((publication) =>
        this.#untilDone(end.frame.id, () => this.#store(publication)),
      ),
    );
    return !stored.includes(false);
  }

  #end(frame: Frame, settlement: Settlement): PreparedSettlement {
    const letters = deadLettersOf(frame, settlement.dead, Date.now());
    return {
      frame,
      settled: settledFrame(frame, settlement),
      refiled: settlement.refile.map((refile) =>
        refiledFrame(frame, refile, refiledFrameId(frame, refile)),
      ),
      dead: letters.map((letter, i) => ({
        letter,
        // Derived from this frame, not from the order: an order that is replayed and fails again is a new letter.
        messageId: `${frame.id}-dead-${settlement.dead[i]!.position}`,
      })),
    };
  }

  #publications({ refiled, dead }: PreparedSettlement): Publication[] {
    const { names } = this.#parts;
    return [
      ...refiled.map((retry) => framePublication(names, retry)),
      ...dead.map(({ letter, messageId }) => deadLetterPublication(names, letter, messageId)),
    ];
  }

  /** Closed while NATS is away: stores the settlement for the next start of this process. */
  async #settleForNextStart(end: PreparedSettlement): Promise<false> {
    const { settleLocally, log } = this.#parts;
    await settleLocally(end).catch((error: Error) => {
      log(
        'settle-lost',
        `frame ${end.frame.id} will be processed again after the next start: ${error.message}`,
      );
    });
    return false;
  }

  async #store(publication: Publication): Promise<void> {
    const outcome = await this.#parts.connection.publisher.attempt(publication, ATTEMPT_MS_MAX);
    if (outcome.verdict !== 'stored') throw new Error(outcome.reason);
  }

  /**
   * A server that was killed may have forgotten that it delivered the message, and then ignores its ack. Waiting for
   * a redelivery could take forever when all claims are in use, so from the second try on the message itself is
   * deleted, if it is still the same.
   */
  async #remove(frameId: string, message: AckableMessage, isLost: boolean): Promise<void> {
    const { connection, names } = this.#parts;
    if (!isLost) {
      return message.ackConfirmed(connection.nc, connection.replies, ATTEMPT_MS_MAX);
    }
    await removeMessage(connection.nc, names.stream, message.seq, frameId);
  }

  async #untilDone(frameId: string, step: () => Promise<void>, needsNats = true): Promise<boolean> {
    const { connection, closing, log } = this.#parts;
    const backoff = new Backoff(RETRY_MS_MIN, RETRY_MS_MAX, closing);
    let isReported = false;
    for (;;) {
      try {
        if (connection.up || !needsNats) {
          await step();
          return true;
        }
      } catch (error) {
        const { message } = error as Error;
        if (!isReported) {
          log('settle-waits', `cannot settle frame ${frameId}, retrying: ${message}`);
        }
        isReported = true;
      }
      if (closing.aborted) return false;
      await backoff.pause();
      await connection.whenUp(RETRY_MS_MAX);
    }
  }
}

/** A settlement with all ids and times determined, so that storing it twice has the effect of storing it once. */
export interface PreparedSettlement {
  readonly frame: Frame;
  readonly settled: SettledFrame;
  readonly refiled: readonly Frame[];
  readonly dead: readonly OutgoingDeadLetter[];
}

/**
 * Settles a frame in this process's own store, for a shutdown while NATS is away. When the frame is delivered to this
 * process again, it counts as settled; retries wait in the spool, and dead letters beside it.
 * @throws Error the disk takes no writes
 */
export async function settleLocally(
  store: LocalStore,
  writes: GroupedWrites,
  end: PreparedSettlement,
): Promise<void> {
  const { frame, settled, refiled, dead } = end;
  // Retries and dead letters get a transaction of their own: at a shutdown, all claimed frames come at once.
  const bytes = refiled.length + dead.length === 0 ? 0 : GROUP_BYTES_MAX;
  await writes.write(() => {
    recordSettled(store, settled);
    recordKeys(store, frame);
    for (const retry of refiled) putLater(store, retry);
    for (const letter of dead) spoolDeadLetter(store, letter);
  }, bytes);
}
