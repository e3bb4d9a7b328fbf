import { type LedgerHandler, ledgerHandler } from '../../drain/handlers.js';
import { type ForebayProcess, type Owner, startForebay } from '../../support/forebay.js';
import { eventually, metric, OrderClient } from '../../support/orders.js';
import { RawConnection } from '../../support/raw-http.js';
import { type Answer, Session } from './session.js';

/** What is sent on one connection. */
export interface Sending {
  readonly pieces: readonly Uint8Array[];
  readonly isHalfClosed: boolean;
}

/** What became of it. */
export interface Outcome {
  readonly answers: readonly Answer[];
  /** All that the server sent. */
  readonly received: string;
}

export interface Kept {
  /** In the order of the sendings. */
  readonly outcomes: readonly Outcome[];
  /** Orders that were answered 200 and not processed exactly once; one line for each. */
  readonly lost: readonly string[];
  /** User names of orders that were processed and not answered 200. */
  readonly untold: readonly string[];
}

const AT_ONCE = 200;

/** A server on which raw requests are tried, and the orders that it kept. */
export class Trial {
  readonly #forebay: ForebayProcess;
  readonly #ledger: LedgerHandler;
  #markers = 0;

  static async start(owner: Owner, flags: readonly string[]): Promise<Trial> {
    const ledger = await ledgerHandler(owner);
    const all = ['--handler', ledger.file, '--threads', '1', ...flags];
    return new Trial(await startForebay(all, { owner }), ledger);
  }

  constructor(forebay: ForebayProcess, ledger: LedgerHandler) {
    this.#forebay = forebay;
    this.#ledger = ledger;
  }

  /**
   * Sends each on its own connection, waits until the server has read and processed everything, and then ends the clients'
   * sides.
   */
  async run(sendings: readonly Sending[]): Promise<Kept> {
    await this.#ledger.clear();
    const markers = new Set<string>();
    const outcomes: Outcome[] = [];
    for (let at = 0; at < sendings.length; at += AT_ONCE) {
      const group = sendings.slice(at, at + AT_ONCE);
      const sessions = await this.#send(group);
      for (const id of await this.#settle()) markers.add(id);
      for (const session of sessions) session.end();
      for (const id of await this.#settle()) markers.add(id);
      for (const session of sessions) {
        outcomes.push({ answers: session.answers(), received: session.received });
        session.destroy();
      }
    }
    return { outcomes, ...(await this.#compare(outcomes, markers)) };
  }

  async #compare(
    outcomes: readonly Outcome[],
    markers: ReadonlySet<string>,
  ): Promise<{ lost: string[]; untold: string[] }> {
    const kept = (await this.#ledger.lines()).filter(({ id }) => !markers.has(id));
    const told = new Set<string>();
    const lost: string[] = [];
    for (const [i, { answers }] of outcomes.entries()) {
      for (const { status, orderId } of answers) {
        if (status !== 200) continue;
        told.add(orderId);
        const times = kept.filter(({ id }) => id === orderId).length;
        if (times !== 1)
          lost.push(`sending ${i}: ${orderId} is answered 200, processed ${times} times`);
      }
    }
    const untold = kept.filter(({ id }) => !told.has(id)).map(({ username }) => username);
    return { lost, untold };
  }

  stop(): Promise<number | null> {
    return this.#forebay.stop();
  }

  /** The pieces of a sending arrive one by one: the server has read the one before. */
  async #send(group: readonly Sending[]): Promise<Session[]> {
    const sessions = await Promise.all(group.map(() => Session.open(this.#forebay.url)));
    const probe = await RawConnection.open(this.#forebay.url);
    const steps = Math.max(...group.map(({ pieces }) => pieces.length));
    for (let step = 0; step < steps; step++) {
      await Promise.all(
        group.map(async ({ pieces, isHalfClosed }, i) => {
          if (step >= pieces.length) return;
          await sessions[i]!.send(pieces[step]!);
          if (isHalfClosed && step === pieces.length - 1) sessions[i]!.end();
        }),
      );
      // What was sent before this is read before it, because the server has one intake thread.
      await probe.write('GET /probe HTTP/1.1\r\nHost: x\r\n\r\n');
      await probe.answer();
    }
    probe.destroy();
    return sessions;
  }

  /**
   * Posts orders one after the other, and waits until they are processed: what was sent before the first of them has been
   * read by then, because the server has one intake thread.
   *
   * @returns their ids
   */
  async #settle(): Promise<string[]> {
    const client = new OrderClient(this.#forebay.url, 1);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { status, id } = await client.post(`marker-${this.#markers++}`);
      if (status !== 200) throw new Error(`the server answers ${status} to a valid order`);
      ids.push(id);
    }
    client.close();
    await eventually('all orders are processed', async () => {
      if ((await metric(this.#forebay, 'forebay_journal_pending_orders')) > 0) return false;
      const processed = new Set((await this.#ledger.lines()).map(({ id }) => id));
      return ids.every((id) => processed.has(id));
    });
    return ids;
  }
}
