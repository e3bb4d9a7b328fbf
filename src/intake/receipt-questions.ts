import { performance } from 'node:perf_hooks';
import type {
  OrderPlace,
  Receipt,
  ReceiptAnswer,
  ReceiptLookup,
  ReceiptQuestion,
} from '../model/receipt.js';

/** Questions of one thread that may be open. */
const OPEN_MAX = 1000;
/** How long one may stay open; milliseconds. */
const ANSWER_MS_MAX = 2000;
/** How often questions are looked for that are open for too long; milliseconds. */
const EXPIRY_CHECK_MS = 100;

interface Open {
  readonly onReceipt: (receipt: Receipt | null) => void;
  readonly askedMs: number;
}

/**
 * Asks the main thread, which alone reads the journal, what became of orders. The questions of one
 * event-loop turn go as one message.
 */
export class ReceiptQuestions implements ReceiptLookup {
  readonly #send: (questions: readonly ReceiptQuestion[]) => void;
  /** By sequence, and so the oldest first. */
  readonly #open = new Map<number, Open>();
  #unsent: ReceiptQuestion[] = [];
  #sequence = 0;
  #expiry: NodeJS.Timeout | null = null;

  constructor(send: (questions: readonly ReceiptQuestion[]) => void) {
    this.#send = send;
  }

  ask({ frameId, index }: OrderPlace, onReceipt: (receipt: Receipt | null) => void): boolean {
    if (this.#open.size >= OPEN_MAX) return false;
    const sequence = this.#sequence++;
    this.#open.set(sequence, { onReceipt, askedMs: performance.now() });
    if (this.#unsent.length === 0) setImmediate(() => this.#flush());
    this.#unsent.push({ sequence, frameId, index });
    this.#expiry ??= setInterval(() => this.#expire(), EXPIRY_CHECK_MS);
    return true;
  }

  /** What the main thread says; an answer that comes too late is none. */
  answer(answers: readonly ReceiptAnswer[]): void {
    for (const { sequence, receipt } of answers) this.#close(sequence, receipt);
  }

  /** Nobody will answer any more. */
  close(): void {
    for (const sequence of this.#open.keys()) this.#close(sequence, null);
    clearInterval(this.#expiry ?? undefined);
  }

  #flush(): void {
    const questions = this.#unsent;
    this.#unsent = [];
    this.#send(questions);
  }

  #expire(): void {
    const askedBeforeMs = performance.now() - ANSWER_MS_MAX;
    for (const [sequence, { askedMs }] of this.#open) {
      if (askedMs > askedBeforeMs) return;
      this.#close(sequence, null);
    }
    clearInterval(this.#expiry!);
    this.#expiry = null;
  }

  #close(sequence: number, receipt: Receipt | null): void {
    const open = this.#open.get(sequence);
    this.#open.delete(sequence);
    open?.onReceipt(receipt);
  }
}
