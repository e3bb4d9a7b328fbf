import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/orders.js';
import { type Alert, alerts } from './rule-files.js';
import { WatchedShop } from './watched-shop.js';

/** Nobody waits a quarter of an hour in a test: what becomes of the bound is all that differs. */
const BOUNDS: Readonly<Record<string, readonly [string, string]>> = {
  ForebayOrdersOld: ['> 900', '> 2'],
};

/** What becomes of the files in the course of the test. */
interface Configuration {
  job: string;
  sync: string;
}

/** A real fault for each alert, and what it takes to make it; those of a row are there at the same time. */
class Faults {
  readonly #shop: WatchedShop;
  readonly #configuration: Configuration;
  readonly provoked = new Set<string>();

  constructor(shop: WatchedShop, configuration: Configuration) {
    this.#shop = shop;
    this.#configuration = configuration;
  }

  /** One order in three fails; the first that does so twice is one dead letter too many. */
  async orderFails(): Promise<void> {
    await this.#fires(['ForebayDeadLetters', 'ForebayDeadLettersFull'], () =>
      this.#shop.orders.post('unlucky'),
    );
  }

  /** More orders than are processed, some that are none, and too many in direct mode. */
  async tooMuch(): Promise<void> {
    const { orders, directOrders } = this.#shop;
    await orders.postAll(Array.from({ length: 900 }, (_, i) => `peak-${i}`));
    const names = Array.from({ length: 30 }, (_, i) => `direct-${i}`);
    await this.#fires(
      ['ForebayBacklogGrows', 'ForebayOrdersOld', 'ForebayRefusesOrders', 'ForebayInvalidOrders'],
      async () => {
        await directOrders.postAll(names);
        await Promise.all(Array.from({ length: 50 }, () => this.#shop.postInvalid()));
      },
    );
  }

  async threadsInTrouble(): Promise<void> {
    const { direct, directOrders } = this.#shop;
    // Once may fall between two scrapes, where the machine is busy.
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

  /** It comes back with its default, which flushes every 2 minutes. */
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

  /** Repeats the fault until each of them would fire, but for the time that it must last. */
  async #fires(names: readonly string[], fault: () => Promise<unknown> = async () => {}) {
    let quiet = names.map((name) => alerts.find(({ alert }) => alert === name)!);
    const looks = async () => {
      await fault();
      const samples = await Promise.all(
        quiet.map((rule) => this.#shop.prometheus.query(expr(rule))),
      );
      quiet = quiet.filter((_, i) => samples[i]!.length === 0);
      return quiet.length === 0;
    };
    await eventually(`${names} fire`, looks).catch((error: Error) => {
      throw new Error(`${error.message}; quiet: ${quiet.map(({ alert }) => alert)}`);
    });
    for (const name of names) this.provoked.add(name);
  }
}

function expr({ alert, expr }: Alert): string {
  const [bound, lower] = BOUNDS[alert] ?? ['', ''];
  assert.ok(expr.includes(bound), alert);
  return expr.replace(bound, lower);
}

describe('the alerts, with a real Prometheus', () => {
  it('fire when the fault is a real one, each of them', async (t) => {
    const configuration: Configuration = { job: 'forebay', sync: 'sync_interval: always' };
    const shop = await WatchedShop.start(t, (text) =>
      text
        .replace('job_name: forebay', `job_name: ${configuration.job}`)
        .replace('sync_interval: always', configuration.sync),
    );
    // Threads of a machine that runs other tests too stand still as it likes.
    const well = alerts.filter(({ alert }) => alert !== 'ForebayEventLoopLag');
    await t.test('none does while all is well', async () => {
      await eventually('three instances are scraped', async () => {
        return (await shop.prometheus.query('up{job="forebay"} == 1')).length === 3;
      });
      await eventually('none fires', async () => {
        const samples = await Promise.all(well.map((rule) => shop.prometheus.query(expr(rule))));
        return samples.every((found) => found.length === 0);
      });
    });
    const faults = new Faults(shop, configuration);
    // First: what comes later waits behind what is too much.
    await t.test('somebody else publishes', () => faults.othersPublish());
    await t.test('an order fails for good', () => faults.orderFails());
    await t.test('too much comes in', () => faults.tooMuch());
    await t.test('threads stand still, die, and wait', () => faults.threadsInTrouble());
    await t.test('NATS hangs', () => faults.natsFrozen());
    await t.test('NATS is down', () => faults.natsDown());
    await t.test('NATS comes back and flushes less', () => faults.natsBackWeaker());
    await t.test('Forebay is gone, and then its target', () => faults.forebayGone());
    assert.deepEqual([...faults.provoked].sort(), alerts.map(({ alert }) => alert).sort());
  });
});
