import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame } from '../../model/frame.js';
import type { Settlement } from '../../model/journal.js';
import type { Log } from '../../model/log.js';
import { keptDeadLetters, refiledFrame, refiledFrameId } from '../frame/refile.js';
import type { Ledger } from '../ledger/ledger.js';
import type { JetStreamConnection } from '../nats/connection.js';
import { deadLetterPublication, frameHeaders } from '../nats/headers.js';
import type { HeldMessage } from '../nats/message.js';
import type { JetStreamNames } from '../nats/names.js';
import { JetStreamPublisher, type Publication } from '../nats/publisher.js';
import { removeMessage } from '../nats/remove-message.js';
import { ReplyInboxes } from '../nats/reply-inbox.js';
import { settledFrame } from '../store/receipts-table.js';
import type { FramesInHand } from './in-hand.js';
import type { FrameEnd } from './settle-alone.js';

export interface SettlerParts {
  readonly connection: JetStreamConnection;
  readonly names: JetStreamNames;
  readonly inHand: FramesInHand;
  readonly ledger: Ledger;
  /** Remembers the idempotency keys of a frame beyond the frame. @throws Error the disk takes no writes */
  readonly rememberKeys: (frame: Frame) => Promise<void>;
  /** Files the end of a frame that NATS could not be told of. @throws Error the disk takes no writes */
  readonly settleAlone: (end: FrameEnd) => Promise<void>;
  readonly log: Log;
  /** Aborted when the source is closed: nothing is tried again then. */
  readonly closing: AbortSignal;
}

const ATTEMPT_MS_MAX = 2000;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

/**
 * Settles frames in JetStream: what is filed again or dead is stored first, each under a message id
 * that makes trying again harmless; then the ledger is told, so that no double of the frame is processed; then
 * the message is acknowledged, and that confirmed.
 */
export class JetStreamSettler {
  readonly #parts: SettlerParts;
  readonly #publisher: JetStreamPublisher;
  readonly #inboxes: ReplyInboxes;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
    this.#publisher = new JetStreamPublisher(parts.connection);
    this.#inboxes = new ReplyInboxes(parts.connection);
  }

  /** False when the source was closed before NATS knew: the frame will be delivered again. */
  async settle(frame: Frame, settlement: Settlement): Promise<boolean> {
    const end = this.#end(frame, settlement);
    const { ledger, rememberKeys } = this.#parts;
    if (!(await this.#stored(end))) return this.#alone(end);
    if (frame.keys.length > 0) {
      const remember = () => rememberKeys(frame);
      if (!(await this.#untilDone(frame.id, remember, false))) return false;
    }
    try {
      await ledger.settle(end.settled);
    } catch {
      return this.#alone({ ...end, refiled: [], dead: [] });
    }
    let failures = 0;
    return this.#untilDone(frame.id, async () => {
      const messages = this.#parts.inHand.messages(frame.id);
      const isLost = failures++ > 0;
      await Promise.all(messages.map((message) => this.#remove(frame.id, message, isLost)));
    });
  }

  /** False when the source was closed before all that is filed again or dead was stored. */
  async #stored(end: FrameEnd): Promise<boolean> {
    const publications = this.#publications(end);
    if (publications.length === 0) return true;
    const stored = await Promise.all(
      publications.map((publication) =>
        this.#untilDone(end.frame.id, () => this.#store(publication)),
      ),
    );
    return !stored.includes(false);
  }

  #end(frame: Frame, settlement: Settlement): FrameEnd {
    const letters = keptDeadLetters(frame, settlement.dead, Date.now());
    return {
      frame,
      settled: settledFrame(frame, settlement),
      refiled: settlement.refile.map((refile) =>
        refiledFrame(frame, refile, refiledFrameId(frame, refile)),
      ),
      dead: letters.map((letter, i) => ({
        letter,
        // Of this frame, not of the order: one that is replayed and dies again is a new letter.
        messageId: `${frame.id}-dead-${settlement.dead[i]!.position}`,
      })),
    };
  }

  #publications({ refiled, dead }: FrameEnd): Publication[] {
    const { names } = this.#parts;
    return [
      ...refiled.map((again) => ({
        stream: names.stream,
        subject: names.retrySubject,
        payload: again.payload,
        headers: frameHeaders(again),
      })),
      ...dead.map(({ letter, messageId }) => deadLetterPublication(names, letter, messageId)),
    ];
  }

  /** Closed while NATS is away: this process at least will know after its next start. */
  async #alone(end: FrameEnd): Promise<false> {
    const { settleAlone, log } = this.#parts;
    await settleAlone(end).catch((error: Error) => {
      log(
        'settle-lost',
        `frame ${end.frame.id} will be processed again after the next start: ${error.message}`,
      );
    });
    return false;
  }

  async #store(publication: Publication): Promise<void> {
    const outcome = await this.#publisher.attempt(publication, ATTEMPT_MS_MAX);
    if (outcome.verdict !== 'stored') throw new Error(outcome.reason);
  }

  /**
   * A server that was killed may have forgotten that it delivered the message, and then ignores its
   * ack. Waiting for it to be delivered again could take for ever, when all that may be in hand is;
   * so from the second try on, the message itself is deleted, if it is still the one.
   */
  async #remove(frameId: string, message: HeldMessage, isLost: boolean): Promise<void> {
    const { connection, names } = this.#parts;
    if (!isLost) {
      return message.ackConfirmed(connection.nc, this.#inboxes.current, ATTEMPT_MS_MAX);
    }
    await removeMessage(connection.nc, names.stream, message.seq, frameId);
  }

  async #untilDone(frameId: string, step: () => Promise<void>, needsNats = true): Promise<boolean> {
    const { connection, closing, log } = this.#parts;
    let reported = false;
    for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        if (connection.up || !needsNats) {
          await step();
          return true;
        }
      } catch (error) {
        const { message } = error as Error;
        if (!reported) {
          log('settle-waits', `cannot settle frame ${frameId}, trying on: ${message}`);
        }
        reported = true;
      }
      if (closing.aborted) return false;
      await sleep(pauseMs, undefined, { signal: closing }).catch(() => {});
      await connection.whenUp(RETRY_MS_MAX);
    }
  }
}
