import type { KeptDeadLetter } from '../../model/dead-letters.js';
import { EXIT } from '../../model/fault.js';
import type { BodyValidator } from '../../model/order-path.js';
import type { Desk } from './desk.js';
import { harmless } from './letter-text.js';
import { Pace } from './pace.js';
import type { ReplayRequest } from './request.js';
import { selected } from './selected.js';

/** Orders that share a transaction, or are under way to the server at once. */
const GROUP_MAX = 250;

/** @returns the exit code */
export async function replay(desk: Desk, request: ReplayRequest): Promise<number> {
  const { selection, dryRun, rate } = request;
  const run = new ReplayRun(desk, rate, dryRun);
  try {
    for await (const { letters, unknown } of selected(desk.store, selection, GROUP_MAX)) {
      for (const id of unknown) desk.note(`no dead letter ${harmless(id)}`);
      run.gone += unknown.length;
      await run.replay(letters);
      if (desk.stop.aborted) break;
    }
  } finally {
    // Also when the journal fails half way: what is done is done.
    await desk.print(`${run.summary()}\n`);
  }
  const isLeft = run.invalid > 0 || (selection.by === 'ids' && run.gone > 0);
  return isLeft ? EXIT.failed : EXIT.ok;
}

class ReplayRun {
  gone = 0;
  invalid = 0;
  #replayed = 0;
  readonly #desk: Desk;
  readonly #pace: Pace;
  readonly #dryRun: boolean;

  constructor(desk: Desk, rate: number, dryRun: boolean) {
    this.#desk = desk;
    this.#pace = new Pace(rate === 0 || dryRun ? null : desk.limiter(rate));
    this.#dryRun = dryRun;
  }

  async replay(letters: readonly KeptDeadLetter[]): Promise<void> {
    let ids = letters.filter((letter) => this.#isValid(letter)).map(({ orderId }) => orderId);
    while (ids.length > 0) {
      const count = await this.#pace.take(ids.length, this.#desk.stop);
      if (count === 0) return;
      await this.#replayNow(ids.slice(0, count));
      ids = ids.slice(count);
    }
  }

  summary(): string {
    const verb = this.#dryRun ? 'would replay' : 'replayed';
    return `${verb} ${this.#replayed}, invalid ${this.invalid}, gone ${this.gone}`;
  }

  async #replayNow(ids: readonly string[]): Promise<void> {
    const { store, print } = this.#desk;
    if (this.#dryRun) {
      this.#replayed += ids.length;
      await print(ids.map((id) => `would replay ${harmless(id)}\n`).join(''));
      return;
    }
    // Settled, so that those that were filed count even when another was not.
    const ends = await Promise.allSettled(ids.map((id) => store.replay(id)));
    for (const end of ends) {
      if (end.status === 'fulfilled' && end.value) this.#replayed++;
      else if (end.status === 'fulfilled') this.gone++;
    }
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** The rules may have changed since it was accepted: what they refuse now would only fail again. */
  #isValid({ orderId, body }: KeptDeadLetter): boolean {
    const fault = faultOf(this.#desk.validator, body);
    if (fault === null) return true;
    this.invalid++;
    this.#desk.note(`${harmless(orderId)} is invalid now (${fault}) and stays a dead letter`);
    return false;
  }
}

function faultOf(validator: BodyValidator, body: Uint8Array): string | null {
  const code = validator.validate(body, 0, body.length);
  return code === 0 ? null : validator.faultText(code);
}
