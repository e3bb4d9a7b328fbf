import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/orders.js';
import { type Alert, alerts } from './rule-files.js';
import { WatchedShop } from './watched-shop.js';

/** Rules whose bound is lowered, so that the test does not take a quarter of an hour. */
const BOUNDS: Readonly<Record<string, readonly [string, string]>> = {
  ForebayOrdersOld: ['> 900', '> 2'],
  // Windows of half a day.
  ForebayWindowTooShort: [
    'forebay_drain_window_end_timestamp_seconds',
    '(forebay_drain_window_end_timestamp_seconds - 43200)',
  ],
};

/** No disk is filled here: alerts.test.yml has them. */
const NOT_CAUSED = ['ForebayDiskFull', 'ForebayDiskFills', 'ForebayJournalLarge'];

/** The parts of configuration files that the test changes. */
interface Configuration {
  job: string;
  sync: string;
}

/** Causes a real fault for each alert. */
class Faults {
  readonly #shop: WatchedShop;
  readonly #configuration: Configuration;
  readonly fired = new Set<string>();

  constructor(shop: WatchedShop, configuration: Configuration) {
    this.#shop = shop;
    this.#configuration = configuration;
  }

  /** One order in three fails. The first that fails twice is a dead letter, which reaches the maximum of 1. */
  async orderFails(): Promise<void> {
    await this.#fires(['ForebayDeadLetters', 'ForebayDeadLettersFull'], () =>
      this.#shop.orders.post('unlucky'),
    );
  }

  /** More orders than are processed, invalid ones, and too many in direct mode. */
  async overload(): Promise<void> {
    const { orders, directOrders } = this.#shop;
    await orders.postAll(Array.from({ length: 900 }, (_, i) => `peak-${i}`));
    const names = Array.from({ length: 30 }, (_, i) => `direct-${i}`);
    await this.#fires(
      [
        'ForebayBacklogGrows',
        'ForebayOrdersOld',
        'ForebayWindowTooShort',
        'ForebayRefusesOrders',
        'ForebayInvalidOrders',
      ],
      async () => {
        await directOrders.postAll(names);
        await Promise.all(Array.from({ length: 50 }, () => this.#shop.postInvalid()));
      },
    );
  }

  async threadsInTrouble(): Promise<void> {
    const { direct, directOrders } = this.#shop;
    // Repeated, because on a busy machine a single pause may fall between two scrapes.
    await this.#fires(['ForebayEventLoopLag'], async () => {
      direct.signal('SIGSTOP');
      await sleep(1000);
      direct.signal('SIGCONT');
      await sleep(1500);
    });
    await this.#fires(['ForebayThreadsDie'], () => directOrders.post('dies'));
    await this.#fires(['ForebayHandlerPaused', 'ForebayNotReady'], () =>
      directOrders.postAll(['waits', 'waits']),
    );
  }

  async othersPublish(): Promise<void> {
    await this.#fires(['ForebayForeignMessages'], () => this.#shop.publish('no frame'));
  }

  async manyConnect(): Promise<void> {
    await this.#fires(['ForebayConnectionsRefused'], () => this.#shop.connectTooOften());
  }

  async certificateExpires(): Promise<void> {
    this.#shop.secured.expireSoon();
    await this.#fires(['ForebayCertificateExpires']);
  }

  async keysBroken(): Promise<void> {
    this.#shop.secured.breakKeys();
    await this.#fires(['ForebaySendersRefused']);
  }

  async consumerPaused(): Promise<void> {
    await this.#shop.pauseConsumer(true);
    await this.#fires(['ForebayJournalDegraded']);
    await this.#shop.pauseConsumer(false);
  }

  async rowDamaged(): Promise<void> {
    await this.#fires(['ForebayDamaged'], () => this.#shop.damageRow());
  }

  async natsFrozen(): Promise<void> {
    this.#shop.stack.running('nats').signal('SIGSTOP');
    await this.#fires(['ForebayAnswersMissing'], () => this.#shop.spoollessOrders.post('unsure'));
    this.#shop.stack.running('nats').signal('SIGCONT');
  }

  async natsDown(): Promise<void> {
    await this.#shop.stack.running('nats').stop();
    await this.#fires(
      ['ForebayJournalDown', 'ForebaySpoolInUse', 'ForebaySpoolFilling', 'ForebayNatsUnhealthy'],
      () => this.#shop.orders.postAll(Array.from({ length: 10 }, (_, i) => `spooled-${i}`)),
    );
  }

  /** NATS restarts with its default, which flushes every 2 minutes. */
  async natsBackWeaker(): Promise<void> {
    this.#configuration.sync = '';
    await this.#shop.stack.start('nats');
    await this.#fires(['ForebayDurabilityFallen']);
  }

  async forebayGone(): Promise<void> {
    await this.#shop.direct.kill9();
    await this.#fires(['ForebayDown']);
    this.#configuration.job = 'renamed';
    this.#shop.stack.layFiles('prometheus');
    this.#shop.stack.running('prometheus').signal('SIGHUP');
    await this.#fires(['ForebayTargetMissing']);
  }

  /** Repeats the fault until the expression of each alert holds. Their `for` is not waited for. */
  async #fires(names: readonly string[], fault: () => Promise<unknown> = async () => {}) {
    let quiet = names.map((name) => alerts.find(({ alert }) => alert === name)!);
    const allFire = async () => {
      await fault();
      const samples = await Promise.all(
        quiet.map((rule) => this.#shop.prometheus.query(expr(rule))),
      );
      quiet = quiet.filter((_, i) => samples[i]!.length === 0);
      return quiet.length === 0;
    };
    await eventually(`${names} fire`, allFire).catch((error: Error) => {
      throw new Error(`${error.message}; quiet: ${quiet.map(({ alert }) => alert)}`);
    });
    for (const name of names) this.fired.add(name);
  }
}

function expr({ alert, expr }: Alert): string {
  const [bound, lower] = BOUNDS[alert] ?? ['', ''];
  assert.ok(expr.includes(bound), alert);
  return expr.replace(bound, lower);
}

describe('the alerts, with a real Prometheus', () => {
  it('all but those of the disk fire on a real fault', async (t) => {
    const configuration: Configuration = { job: 'forebay', sync: 'sync_interval: always' };
    const shop = await WatchedShop.start(t, (text) =>
      text
        .replace('job_name: forebay', `job_name: ${configuration.job}`)
        .replace('sync_interval: always', configuration.sync),
    );
    // Other tests on this machine may block threads at any time.
    const quiet = alerts.filter(({ alert }) => alert !== 'ForebayEventLoopLag');
    await t.test('none fires without a fault', async () => {
      await eventually('four instances are scraped', async () => {
        return (await shop.prometheus.query('up{job="forebay"} == 1')).length === 4;
      });
      await eventually('none fires', async () => {
        const samples = await Promise.all(quiet.map((rule) => shop.prometheus.query(expr(rule))));
        return samples.every((found) => found.length === 0);
      });
    });
    const faults = new Faults(shop, configuration);
    // In this order, because orders sent after the overload wait behind its backlog.
    await t.test('another program publishes', () => faults.othersPublish());
    await t.test('too many connections', () => faults.manyConnect());
    await t.test('a certificate expires', () => faults.certificateExpires());
    await t.test('a file of keys is broken', () => faults.keysBroken());
    await t.test('a consumer is paused', () => faults.consumerPaused());
    await t.test('a row is damaged', () => faults.rowDamaged());
    await t.test('an order fails permanently', () => faults.orderFails());
    await t.test('overload', () => faults.overload());
    await t.test('threads are blocked, die, and wait', () => faults.threadsInTrouble());
    await t.test('NATS is frozen', () => faults.natsFrozen());
    await t.test('NATS is down', () => faults.natsDown());
    await t.test('NATS restarts with a weaker sync interval', () => faults.natsBackWeaker());
    await t.test('Forebay is down, then its target is missing', () => faults.forebayGone());
    const fired = [...faults.fired, ...NOT_CAUSED].sort();
    assert.deepEqual(fired, alerts.map(({ alert }) => alert).sort());
  });
});
