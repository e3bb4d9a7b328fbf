import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, type LedgerPlan, NO_PLAN } from '../../drills/ledger/ledger.js';
import { Load } from '../../drills/ledger/load.js';
import { Random } from '../../drills/ledger/random.js';
import type { SentOrders } from '../../drills/ledger/sent-orders.js';
import type { Processing } from '../../drills/ledger/verdict.js';
import type { Owner } from '../support/forebay.js';
import { NatsNode, type NatsNodeOptions } from '../support/nats-cluster.js';
import { Shop } from './shop.js';

export interface StageOptions {
  readonly folder: string;
  readonly seed: number;
  /** Waits are short. */
  readonly isShort: boolean;
  /** Orders per second. */
  readonly rate: number;
  /** Length of the load, if the fault does not determine it. */
  readonly durationS: number;
  /** Aborted if the run must end at once. */
  readonly signal: AbortSignal;
}

/** Where processed orders are recorded: the files of the plain handler, or a table. */
export interface ProcessedOrders {
  processings(): Processing[] | Promise<Processing[]>;
}

const CONNECTIONS = 64;
/** More than the longest load. */
const LOAD_S_MAX = 300;
/** Three times the 30 s after which JetStream redelivers the frames of a killed process. */
const DRAIN_MS_MAX = 90_000;
/** Longer than 30 s: frames that a killed process had processed but not acknowledged are redelivered before the journal is empty. */
const EMPTY_MS_MAX = 60_000;
const POLL_MS = 250;

/** The servers and the load of one run. */
export class Stage implements Owner {
  readonly folder: string;
  readonly seed: number;
  readonly isShort: boolean;
  /** Orders per second. */
  readonly rate: number;
  readonly durationMs: number;
  readonly random: Random;
  /** Problems other than those in the verdict. */
  readonly problems: string[] = [];
  processed: ProcessedOrders | null = null;
  sent: SentOrders | null = null;
  readonly #options: StageOptions;
  readonly #ends: (() => Promise<void>)[] = [];
  readonly #shops: Shop[] = [];
  #ledger: Ledger | null = null;
  #load: Load | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.seed = options.seed;
    this.isShort = options.isShort;
    this.rate = options.rate;
    this.durationMs = options.durationS * 1000;
    this.random = new Random(options.seed);
    mkdirSync(this.folder, { recursive: true });
  }

  after(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** Stops everything in reverse order. */
  async close(): Promise<void> {
    await this.#load?.destroy();
    for (const end of this.#ends.splice(0).reverse()) {
      await end().catch((error: Error) => this.problems.push(`cannot stop: ${error.message}`));
    }
  }

  /** The handler of all Forebays of this run. */
  plainHandler(plan: Partial<LedgerPlan> = {}): string {
    this.#ledger = new Ledger(this.folder, { ...NO_PLAN, ...plan });
    this.processed = this.#ledger;
    return this.#ledger.handler;
  }

  /** Starts a Forebay with its own data folder. */
  async shop(flags: readonly string[], more: ShopChoices = {}): Promise<Shop> {
    const name = `forebay-${this.#shops.length + 1}`;
    const { data = join(this.folder, `${name}-data`), env = {} } = more;
    const onDied = (what: string) => void this.problems.push(what);
    const shop = await Shop.open(this, { name, folder: this.folder, data, flags, env, onDied });
    this.#shops.push(shop);
    return shop;
  }

  async nats(options: Partial<NatsNodeOptions> = {}): Promise<NatsNode> {
    const node = await NatsNode.prepare(this, { folder: this.folder, ...options });
    await node.start();
    return node;
  }

  /** Starts the load on all Forebays. @param isKeyed orders have keys and are repeated until they are answered 200 */
  load({ isKeyed = false } = {}): void {
    const { rate, seed } = this.#options;
    const urls = this.#shops.map(({ url }) => url);
    const ordersMax = rate * LOAD_S_MAX;
    this.#load = new Load({ urls, seed, rate, connections: CONNECTIONS, ordersMax, isKeyed });
  }

  /** Waits. @throws Error if the run is aborted */
  async pass(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal });
  }

  /** A random share of the length of the load, in milliseconds. */
  share(least: number, most: number): number {
    return this.durationMs * (least + ((most - least) * this.random.below(1001)) / 1000);
  }

  /** A random time. */
  between(leastMs: number, mostMs: number): number {
    return leastMs + this.random.below(mostMs - leastMs + 1);
  }

  /** How many pool threads have died as planned. */
  plannedDeaths(): number {
    return this.#ledger?.died().length ?? 0;
  }

  wasKilled(runner: string): boolean {
    const diedAsPlanned = this.#ledger?.died().includes(runner) ?? false;
    return diedAsPlanned || this.#shops.some((shop) => shop.wasKilled(runner));
  }

  /**
   * Ends the load, waits until every accepted order is processed, and stops all Forebays.
   * If losses are expected, it waits only until the journal is empty.
   */
  async finish({ isLossExpected = false } = {}): Promise<void> {
    this.sent = await this.#load!.end();
    // What is not processed by then counts as lost.
    if (!isLossExpected) await this.#holdsWithin(DRAIN_MS_MAX, () => this.#isAllProcessed());
    const isEmpty = await this.#holdsWithin(
      EMPTY_MS_MAX,
      async () => (await this.#pending()) === 0,
    );
    if (!isEmpty)
      this.problems.push(`${await this.#pending()} orders pending, although all are processed`);
    for (const shop of this.#shops) {
      await shop.stop().catch((error: Error) => this.problems.push(error.message.split('\n')[0]!));
    }
  }

  async #isAllProcessed(): Promise<boolean> {
    const { statuses } = this.sent!;
    const done = new Uint8Array(statuses.length);
    for (const { sequence } of await this.processed!.processings()) done[sequence] = 1;
    return statuses.every((status, sequence) => status !== 200 || done[sequence] === 1);
  }

  async #pending(): Promise<number> {
    const each = await Promise.all(this.#shops.map((shop) => shop.pending().catch(() => -1)));
    return Math.max(...each.map(Math.abs));
  }

  async #holdsWithin(msMax: number, holds: () => Promise<boolean>): Promise<boolean> {
    const deadlineMs = performance.now() + msMax;
    while (performance.now() < deadlineMs) {
      if (await holds()) return true;
      await this.pass(POLL_MS);
    }
    return holds();
  }
}

export interface ShopChoices {
  readonly data?: string;
  readonly env?: Readonly<Record<string, string>>;
}
