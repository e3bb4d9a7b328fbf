import type { MessagePort } from 'node:worker_threads';
import type { Frame } from '../model/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../model/journal.js';
import type { DirectReply, DirectRequest } from '../model/pool-messages.js';

interface UnderWay {
  readonly resolve: (verdicts: Uint8Array | null) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: NodeJS.Timeout;
}

/**
 * The journal of direct mode: a commit means that the pool has processed the orders. Nothing is
 * stored; an order that fails is refused on its own.
 */
export class DirectAppender implements Appender {
  readonly name = 'direct';
  readonly #port: MessagePort;
  readonly #commitMsMax: number;
  readonly #underWay = new Map<number, UnderWay>();
  #sequence = 0;
  #closed = false;

  constructor(port: MessagePort, commitMsMax: number) {
    this.#port = port;
    this.#commitMsMax = commitMsMax;
    port.on('message', (reply: DirectReply) => this.#onReply(reply));
  }

  get writable(): boolean {
    return !this.#closed;
  }

  get reason(): string {
    return this.#closed ? 'the journal is closed' : '';
  }

  commit(frame: Frame): Promise<Uint8Array | null> {
    if (this.#closed) return Promise.reject(new CommitRefused('the journal is closed'));
    const sequence = this.#sequence++;
    const { id, count, acceptedAtMs } = frame;
    // A copy, because the frame is reused; `slice` of a Buffer would be a view of it.
    const payload = new Uint8Array(frame.payload);
    const request: DirectRequest = { sequence, id, count, acceptedAtMs, payload };
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#expire(sequence), this.#commitMsMax);
      this.#underWay.set(sequence, { resolve, reject, deadline });
      this.#port.postMessage(request, [payload.buffer as ArrayBuffer]);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const sequence of this.#underWay.keys()) this.#expire(sequence);
    this.#port.close();
  }

  #onReply({ sequence, verdicts }: DirectReply): void {
    this.#takeOut(sequence)?.resolve(verdicts);
  }

  #expire(sequence: number): void {
    this.#takeOut(sequence)?.reject(new CommitAmbiguous(`no outcome in ${this.#commitMsMax} ms`));
  }

  #takeOut(sequence: number): UnderWay | undefined {
    const found = this.#underWay.get(sequence);
    if (found !== undefined) clearTimeout(found.deadline);
    this.#underWay.delete(sequence);
    return found;
  }
}
