import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { encodeDeadLetter } from '../../../src/journal/frame/dead-letter.js';
import { deadLetterPublication } from '../../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../../src/journal/nats/names.js';
import { deadKey } from '../../../src/journal/store/dead-letter-rows.js';
import { LocalStore } from '../../../src/journal/store/local-store.js';
import type { StoredDeadLetter } from '../../../src/model/dead-letters.js';
import { type LedgerHandler, ledgerHandler } from '../../drain/handlers.js';
import { HANG_MS_MAX } from '../../support/deadline.js';
import {
  type Ended,
  type ForebayProcess,
  type Owner,
  runForebay,
  startForebay,
} from '../../support/forebay.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../../support/nats.js';
import { eventually, metric, OrderClient } from '../../support/orders.js';
import { type DlqEnd, runDlq } from './in-process.js';

export type JournalKind = 'local' | NatsVersion;
export const JOURNALS: readonly JournalKind[] = ['local', ...NATS_VERSIONS];

export interface ListedLetter {
  readonly id: string;
  readonly reason: string;
  readonly attempts: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly body: string;
}

const STREAM = 'FOREBAY';
const DONE = 'work_done_total{status="done"}';

/**
 * A server whose handler fails every order until it is repaired: it throws the first word of the user's name,
 * so that orders have different reasons.
 */
export class Shop {
  readonly handler: LedgerHandler;
  readonly data: string;
  readonly nats: NatsServer | null;
  readonly #owner: Owner;
  readonly #repaired: string;
  readonly #flags: readonly string[];
  #forebay: ForebayProcess | null = null;
  #doneBefore = 0;

  private constructor(
    owner: Owner,
    data: string,
    nats: NatsServer | null,
    handler: LedgerHandler,
    flags: readonly string[],
  ) {
    this.#owner = owner;
    this.data = data;
    this.nats = nats;
    this.handler = handler;
    this.#repaired = join(data, 'repaired');
    const journal = nats === null ? [] : ['--nats', nats.url];
    this.#flags = ['--handler', handler.file, '--attempts-max', '1', ...journal, ...flags];
  }

  static async open(owner: Owner, kind: JournalKind, flags: readonly string[] = []): Promise<Shop> {
    const data = await mkdtemp(join(tmpdir(), 'forebay-dlq-'));
    const nats = kind === 'local' ? null : await NatsServer.start({ version: kind });
    owner.after(async () => {
      await nats?.stop();
      await rm(data, { recursive: true, force: true });
    });
    const handler = await ledgerHandler(
      owner,
      `const { existsSync } = await import('node:fs');
       if (existsSync(${JSON.stringify(join(data, 'repaired'))})) return;
       const reasons = new Set(orders.map(({ data }) => data.username.split(' ')[0]));
       if (reasons.size === 1 && reasons.has('dead')) return orders.map(() => 'dead');
       throw new Error([...reasons].join());`,
    );
    const shop = new Shop(owner, data, nats, handler, flags);
    await shop.start();
    return shop;
  }

  get forebay(): ForebayProcess {
    assert.ok(this.#forebay !== null);
    return this.#forebay;
  }

  async start(): Promise<void> {
    this.#doneBefore = 0;
    this.#forebay = await startForebay(this.#flags, { owner: this.#owner, data: this.data });
  }

  async stop(): Promise<void> {
    assert.equal(await this.forebay.stop(), 0);
  }

  /** From now on the handler processes every order. */
  async repair(): Promise<void> {
    await writeFile(this.#repaired, '');
  }

  /** As after `open`: no dead letters, no lines in the handler's ledger, and a handler that fails every order. */
  async reset(): Promise<void> {
    assert.equal((await this.dlq('drop', '--all', '--yes')).code, 0);
    await rm(this.#repaired, { force: true });
    await this.handler.clear();
    this.#doneBefore = await metric(this.forebay, DONE);
  }

  /** Where the journal is, for `forebay dlq`. */
  get place(): readonly string[] {
    return this.nats === null ? ['--data', this.data] : ['--nats', this.nats.url];
  }

  /** Runs the command in this process. */
  dlq(...args: readonly string[]): Promise<DlqEnd> {
    return runDlq([...args, ...this.place]);
  }

  /** Runs the command in its own process. */
  dlqProcess(...args: readonly string[]): Promise<Ended> {
    return runForebay(['dlq', ...args, ...this.place]);
  }

  async letters(): Promise<ListedLetter[]> {
    const { code, stdout, stderr } = await this.dlq('list', '--json');
    assert.equal(code, 0, stderr);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as ListedLetter);
  }

  /** Posts orders that all fail; resolves with their ids by user name when all are dead letters. */
  async fail(usernames: readonly string[]): Promise<Map<string, string>> {
    const before = await metric(this.forebay, 'forebay_dead_total');
    const ids = await this.post(usernames);
    await eventually(
      'all are dead letters',
      async () => (await metric(this.forebay, 'forebay_dead_total')) === before + usernames.length,
    );
    return ids;
  }

  async post(usernames: readonly string[]): Promise<Map<string, string>> {
    const client = new OrderClient(this.forebay.url);
    const answers = await client.postAll(usernames);
    client.close();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    return new Map(answers.map(({ id }, i) => [usernames[i]!, id]));
  }

  /** Waits until so many orders are done, since the last start or reset, and none is pending. */
  async done(orders: number): Promise<void> {
    const { forebay } = this;
    await eventually(
      `${orders} are done`,
      async () => (await metric(forebay, DONE)) - this.#doneBefore >= orders,
    );
    await eventually(
      'nothing is pending',
      async () => (await metric(forebay, 'forebay_journal_pending_orders')) === 0,
    );
  }

  /** How often the handler was given each order. */
  async timesById(): Promise<Map<string, number>> {
    const times = new Map<string, number>();
    for (const { id } of await this.handler.lines()) times.set(id, (times.get(id) ?? 0) + 1);
    return times;
  }

  /** Counts the dead letters much faster than the command could. */
  async watch(): Promise<{ kept: () => Promise<number>; close: () => Promise<void> }> {
    if (this.nats === null) {
      const store = new LocalStore(this.data);
      const kept = async () => {
        store.refresh();
        return (store.dead.getStats() as { entryCount: number }).entryCount;
      };
      return { kept, close: () => store.close() };
    }
    const nc = await connect({ servers: this.nats.url });
    const manager = await jetstreamManager(nc, { timeout: HANG_MS_MAX });
    const { deadStream } = jetStreamNames(STREAM);
    const kept = async () => (await manager.streams.info(deadStream)).state.messages;
    return { kept, close: () => nc.close() };
  }

  /** Files a dead letter without the server. */
  async file(letter: StoredDeadLetter): Promise<void> {
    await this.fileRaw(letter.orderId, encodeDeadLetter(letter, deadKey(letter.orderId)), letter);
  }

  /** Files something that is not a dead letter in the place of one. */
  async fileMalformed(orderId: string): Promise<void> {
    await this.fileRaw(orderId, Buffer.from('not a dead letter'), null);
  }

  private async fileRaw(
    orderId: string,
    record: Buffer,
    letter: StoredDeadLetter | null,
  ): Promise<void> {
    if (this.nats === null) {
      const store = new LocalStore(this.data);
      await store.write(() => void store.dead.put(Buffer.from(orderId, 'latin1'), record));
      await store.close();
      return;
    }
    const nc = await connect({ servers: this.nats.url });
    try {
      const names = jetStreamNames(STREAM);
      if (letter === null) {
        await jetstream(nc).publish(names.deadSubject(orderId), record);
        return;
      }
      const { subject, payload, headers } = deadLetterPublication(names, letter, randomUUID());
      await jetstream(nc).publish(subject, payload, { headers });
    } finally {
      await nc.close();
    }
  }
}

export function names(count: number, reason = 'dead'): string[] {
  return Array.from({ length: count }, (_, i) => `${reason} ${i}`);
}
