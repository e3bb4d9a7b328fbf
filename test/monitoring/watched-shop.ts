import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { NativeStack } from '../container/native-stack.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { OrderClient, orderBody } from '../support/orders.js';
import { RawConnection } from '../support/raw-http.js';
import { PrometheusApi } from './prometheus-api.js';

/** Does nothing, except for two usernames. */
const HANDLER = `export default async function handle(orders) {
  for (const { data } of orders) {
    if (data.username === 'dies') process.exit(1);
    if (data.username === 'waits') throw Object.assign(new Error('the database is down'), { pause: true });
  }
}
`;

/** An order that fails twice is a dead letter, and one dead letter is the maximum. */
const FEW_DEAD_LETTERS = {
  FOREBAY_THREADS: '1',
  FOREBAY_WORKERS: '1',
  FOREBAY_ATTEMPTS_MAX: '2',
  FOREBAY_RETRY_MS_MIN: '20',
  FOREBAY_RETRY_MS_MAX: '100',
  FOREBAY_DEAD_MAX: '1',
  FOREBAY_SPOOL_ORDERS_MAX: '50',
};

/** Always a window of half a day, so that one ends. */
const SCHEDULE = '00:00-12:00 UTC 5/s\n12:00-24:00 UTC 5/s\n';

const SPOOLLESS_CONNECTIONS_MAX = 16;

/**
 * The services of docker-compose.yml as native processes, and three more Forebays that the same Prometheus scrapes: one in
 * direct mode with a limit and a handler that fails on request, one without a spool, and one with TLS.
 */
export class WatchedShop {
  readonly stack: NativeStack;
  readonly prometheus: PrometheusApi;
  readonly orders: OrderClient;
  readonly direct: ForebayProcess;
  readonly directOrders: OrderClient;
  readonly spoolless: ForebayProcess;
  readonly secured: SecuredServer;
  readonly spoollessOrders: OrderClient;

  private constructor(
    stack: NativeStack,
    direct: ForebayProcess,
    spoolless: ForebayProcess,
    secured: SecuredServer,
  ) {
    this.secured = secured;
    this.stack = stack;
    this.prometheus = new PrometheusApi(stack.url('prometheus:9090'));
    this.orders = new OrderClient(stack.url('forebay:3000'));
    this.direct = direct;
    this.directOrders = new OrderClient(direct.url);
    this.spoolless = spoolless;
    this.spoollessOrders = new OrderClient(spoolless.url);
  }

  /** @param configuration edits the configuration files; the intervals of Prometheus are 1 s in any case */
  static async start(
    owner: { after(end: () => Promise<void>): void },
    configuration: (text: string) => string = (text) => text,
  ): Promise<WatchedShop> {
    const others: string[] = [];
    const edit = (text: string) =>
      configuration(text)
        .replaceAll('_interval: 5s', '_interval: 1s')
        .replace('"forebay:3001"', ['"forebay:3001"', ...others].join(', '));
    const env = { FOREBAY_DRAIN_RATE: '5', FOREBAY_ERROR_RATE: '0.35' };
    const stack = await NativeStack.prepare(env, edit);
    owner.after(() => stack.stop());
    const nats = await stack.start('nats');
    await nats.ready(() => isOk(`${stack.url('nats:8222')}/healthz?js-enabled-only=true`));
    const exporter = await stack.start('prometheus-nats-exporter');
    const forebay = await stack.start('forebay', {
      ...FEW_DEAD_LETTERS,
      FOREBAY_DRAIN_SCHEDULE: scheduleFile(owner),
    });
    await forebay.ready(() => isOk(`${stack.url('forebay:3001')}/readyz`));
    const direct = await startDirect(owner);
    const spoolless = await startSpoolless(stack.address('nats:4222'), owner);
    const secured = await new SecuredServer(owner).start(owner);
    for (const { adminUrl } of [direct, spoolless, secured])
      others.push(`"${new URL(adminUrl).host}"`);
    await exporter.ready(() => isOk(`${stack.url('prometheus-nats-exporter:7777')}/metrics`));
    const prometheus = await stack.start('prometheus');
    await prometheus.ready(() => isOk(`${stack.url('prometheus:9090')}/-/ready`));
    const shop = new WatchedShop(stack, direct, spoolless, secured);
    owner.after(async () => {
      for (const client of [shop.orders, shop.directOrders, shop.spoollessOrders]) client.close();
    });
    return shop;
  }

  /** Publishes to the subject of the orders, as another program would. */
  async publish(text: string): Promise<void> {
    const nc = await connect({ servers: this.stack.address('nats:4222') });
    nc.publish('forebay.orders', text);
    await nc.flush();
    await nc.close();
  }

  /** Opens more connections than one of the instances takes, and closes them. */
  async connectTooOften(): Promise<void> {
    const opened = Array.from({ length: 2 * SPOOLLESS_CONNECTIONS_MAX }, () =>
      RawConnection.open(this.spoolless.url),
    );
    for (const connection of await Promise.all(opened)) connection.destroy();
  }

  /** An operator pauses the consumer of fresh frames, or resumes it. */
  async pauseConsumer(isPaused: boolean): Promise<void> {
    const nc = await connect({ servers: this.stack.address('nats:4222') });
    const { consumers } = await jetstreamManager(nc);
    const until = new Date(Date.now() + 3_600_000);
    if (isPaused) await consumers.pause('FOREBAY', 'forebay-drain', until);
    else await consumers.resume('FOREBAY', 'forebay-drain');
    await nc.close();
  }

  /** Puts a frame that cannot be read into the spool, as a disk that fails would. */
  async damageRow(): Promise<void> {
    const store = new LocalStore(this.spoolless.data, { mustExist: true });
    await store.write(() => void store.frames.put(Buffer.from('damaged'), Buffer.from('{"v":1,')));
    await store.close();
  }

  /** Posts an invalid order. @returns the status */
  async postInvalid(): Promise<number> {
    const url = `${this.stack.url('forebay:3000')}/orders`;
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: '{"product_id":"101"}' });
    return answer.status;
  }
}

export async function isOk(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
}

const API_KEY = 'the-key-of-acme';

class SecuredServer {
  readonly #authority = new Authority();
  readonly #files: Certificate;
  readonly #keys: string;
  adminUrl = '';
  #url = '';

  constructor(owner: { after(end: () => Promise<void>): void }) {
    owner.after(async () => this.#authority.remove());
    this.#files = this.#authority.sign('orders', 'IP:127.0.0.1', 30);
    this.#keys = `${this.#files.cert}.keys`;
  }

  async start(owner: { after(end: () => Promise<void>): void }): Promise<this> {
    const { cert, key } = this.#files;
    const hash = createHash('sha256').update(API_KEY).digest('hex');
    writeFileSync(this.#keys, `acme ${hash}\n`);
    const flags = ['--tls-cert', cert, '--tls-key', key, '--api-keys', this.#keys];
    const { adminUrl, url } = await startForebay(flags, { owner });
    this.adminUrl = adminUrl;
    this.#url = url;
    return this;
  }

  /** Posts an order with the key. @returns the status */
  async post(): Promise<number> {
    const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };
    const options = { method: 'POST', agent: false, rejectUnauthorized: false, headers } as const;
    const sent = request(`${this.#url}/orders`, options);
    sent.end(orderBody('acme'));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode!;
  }

  /** An operator makes a mistake in the file of keys. */
  breakKeys(): void {
    writeFileSync(this.#keys, 'acme\n');
  }

  /** A renewal, as if it were late. */
  expireSoon(): void {
    const { cert, key } = this.#authority.sign('late', 'IP:127.0.0.1', 5);
    copyFileSync(key, this.#files.key);
    copyFileSync(cert, this.#files.cert);
  }
}

function scheduleFile(owner: { after(end: () => Promise<void>): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-schedule-'));
  owner.after(async () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'schedule.txt');
  writeFileSync(file, SCHEDULE);
  return file;
}

async function startDirect(owner: {
  after(end: () => Promise<void>): void;
}): Promise<ForebayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-handler-'));
  owner.after(async () => rmSync(folder, { recursive: true, force: true }));
  const handler = join(folder, 'handler.mjs');
  writeFileSync(handler, HANDLER);
  const flags = ['--mode', 'direct', '--rps-limit', '10', '--threads', '1', '--workers', '1'];
  return startForebay([...flags, '--handler', handler], { owner });
}

function startSpoolless(
  nats: string,
  owner: { after(end: () => Promise<void>): void },
): Promise<ForebayProcess> {
  const flags = ['--nats', `nats://${nats}`, '--spool-orders-max', '0', '--drain', 'off'];
  flags.push('--connections-max', `${SPOOLLESS_CONNECTIONS_MAX}`);
  return startForebay([...flags, '--commit-ms-max', '500', '--threads', '1'], { owner });
}
