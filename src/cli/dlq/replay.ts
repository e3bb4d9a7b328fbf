import { pause } from '../../model/backoff.js';
import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT } from '../../model/fault.js';
import { orderIn } from '../../model/kept-headers.js';
import type { Limiter } from '../../model/stages.js';
import type { ReplayRequest } from './arguments.js';
import { printable } from './list.js';
import { type DlqContext, selected } from './select.js';

/** Orders per transaction (local) or in flight to the server at once (NATS). */
const GROUP_MAX = 250;

/** @returns the exit code */
export async function replay(context: DlqContext, request: ReplayRequest): Promise<number> {
  const { selection } = request;
  const run = new ReplayRun(context, request);
  try {
    for await (const { letters, unknown } of selected(context.store, selection, GROUP_MAX)) {
      for (const id of unknown) context.note(`no dead letter ${printable(id)}`);
      run.gone += unknown.length;
      await run.replay(letters);
      if (context.stop.aborted) break;
    }
  } finally {
    // Also printed when the journal fails half way: the work so far is permanent.
    await context.print(`${run.summary()}\n`);
  }
  const isIncomplete = run.invalid > 0 || (selection.by === 'ids' && run.gone > 0);
  return isIncomplete ? EXIT.failed : EXIT.ok;
}

class ReplayRun {
  gone = 0;
  invalid = 0;
  #replayed = 0;
  readonly #context: DlqContext;
  readonly #pace: ReplayPace;
  readonly #dryRun: boolean;
  readonly #isNamed: boolean;

  constructor(context: DlqContext, { selection, rate, dryRun }: ReplayRequest) {
    this.#context = context;
    this.#isNamed = selection.by === 'ids';
    this.#pace = new ReplayPace(rate === 0 || dryRun ? null : context.limiter(rate));
    this.#dryRun = dryRun;
  }

  async replay(letters: readonly StoredDeadLetter[]): Promise<void> {
    let valid = letters.filter((letter) => this.#isValid(letter));
    while (valid.length > 0) {
      const count = await this.#pace.take(valid.length, this.#context.stop);
      if (count === 0) return;
      await this.#replayNow(valid.slice(0, count));
      valid = valid.slice(count);
    }
  }

  summary(): string {
    const verb = this.#dryRun ? 'would replay' : 'replayed';
    return `${verb} ${this.#replayed}, invalid ${this.invalid}, gone ${this.gone}`;
  }

  async #replayNow(letters: readonly StoredDeadLetter[]): Promise<void> {
    const { store, schema, print } = this.#context;
    if (this.#dryRun) {
      this.#replayed += letters.length;
      await print(letters.map(({ orderId }) => `would replay ${printable(orderId)}\n`).join(''));
      return;
    }
    // allSettled, so that the successful ones are counted even when another fails.
    const ends = await Promise.allSettled(
      letters.map(({ orderId, lastAtMs }) =>
        store.replay(orderId, schema, this.#isNamed ? null : lastAtMs),
      ),
    );
    for (const end of ends) {
      if (end.status === 'fulfilled' && end.value) this.#replayed++;
      else if (end.status === 'fulfilled') this.gone++;
    }
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** The schema may have changed since the order was accepted: an invalid order would only fail again. */
  #isValid({ orderId, body, schema: before }: StoredDeadLetter): boolean {
    const { validator, schema, note } = this.#context;
    const order = orderIn(body);
    if (validator.validate(order, 0, order.length)) return true;
    this.invalid++;
    const change =
      before === undefined || before === schema
        ? ''
        : `: it was accepted under the schema ${before}, and --schema is ${schema}`;
    const id = printable(orderId);
    note(
      `${id} is invalid by the current rules (${validator.fault}) and stays a dead letter${change}`,
    );
    return false;
  }
}

/** Limits the replay rate; without a limiter there is no limit. */
class ReplayPace {
  readonly #limiter: Limiter | null;

  constructor(limiter: Limiter | null) {
    this.#limiter = limiter;
  }

  /** Resolves with how many of `orders` may be replayed now: at least 1, or 0 when stopped. */
  async take(orders: number, stop: AbortSignal): Promise<number> {
    if (this.#limiter === null) return stop.aborted ? 0 : orders;
    while (!stop.aborted) {
      let taken = 0;
      while (taken < orders && this.#limiter.tryAdmit()) taken++;
      if (taken > 0) return taken;
      const waitMs = Math.max(1, Math.ceil(this.#limiter.waitMs()));
      await pause(waitMs, stop);
    }
    return 0;
  }
}
