import type { Receipt, ReceiptAnswer, ReceiptQuestion } from '../../src/model/receipt.js';

/** Looks in the journal what became of the order `<frameId>-<index>`. */
export type FindReceipt = (frameId: string, index: number) => Promise<Receipt>;

/**
 * Questions of one intake thread that are looked up at once. It has no more open than that, but it gives up on those
 * that take long, and asks others.
 */
const UNDER_WAY_MAX = 1000;

/** The main thread's side of an intake thread's `ReceiptQuestions`. Answers of one turn go as one message. */
export class ReceiptAnswers {
  readonly #find: FindReceipt;
  readonly #send: (answers: readonly ReceiptAnswer[]) => void;
  #underWay = 0;
  #unsent: ReceiptAnswer[] = [];

  constructor(find: FindReceipt, send: (answers: readonly ReceiptAnswer[]) => void) {
    this.#find = find;
    this.#send = send;
  }

  answer(questions: readonly ReceiptQuestion[]): void {
    for (const question of questions) void this.#answerOne(question);
  }

  async #answerOne({ sequence, frameId, index }: ReceiptQuestion): Promise<void> {
    let receipt: Receipt | null = null;
    if (this.#underWay < UNDER_WAY_MAX) {
      this.#underWay++;
      try {
        receipt = await this.#find(frameId, index);
      } catch {
        // The journal does not answer: neither can this.
      }
      this.#underWay--;
    }
    if (this.#unsent.length === 0) setImmediate(() => this.#flush());
    this.#unsent.push({ sequence, receipt });
  }

  #flush(): void {
    const answers = this.#unsent;
    this.#unsent = [];
    this.#send(answers);
  }
}
