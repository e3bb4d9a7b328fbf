import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { headers } from '@nats-io/transport-node';
import type { PublishOutcome } from '../../src/journal/nats/publisher.js';
import { Forwarder, type SpoolRow } from '../../src/journal/spool/forwarder.js';
import { until } from '../journal/frames.js';

const STORED: PublishOutcome = { verdict: 'stored', seq: 1 };
const AMBIGUOUS: PublishOutcome = { verdict: 'ambiguous', reason: 'NATS: timeout' };
const UNFIT: PublishOutcome = {
  verdict: 'refused',
  reason: 'NATS: too large',
  isUnfit: true,
  isUnserved: false,
};

/** A spool with rows by name, and a server that answers as it is told. */
class FakeSpool {
  readonly events: string[] = [];
  readonly published: string[] = [];
  readonly failures: string[] = [];
  /** Answers by name, first to last; then `STORED`. */
  readonly answers = new Map<string, PublishOutcome[]>();
  up = true;
  #waiting: string[];
  #parks: boolean;

  constructor(names: readonly string[], parks: boolean) {
    this.#waiting = [...names];
    this.#parks = parks;
  }

  /** Starts to forward, until the test ends. */
  forward(t: TestContext): Forwarder {
    const spool = this;
    const forwarder = new Forwarder({
      connection: {
        get up() {
          return spool.up;
        },
        publisher: {
          attempt: async ({ subject }) => {
            spool.published.push(subject);
            return spool.answers.get(subject)?.shift() ?? STORED;
          },
        },
      },
      next: (rowsMax, signal) => spool.#next(rowsMax, signal),
      rate: 0,
      onFailure: (reason) => spool.failures.push(reason),
    });
    t.after(() => forwarder.close());
    return forwarder;
  }

  async #next(rowsMax: number, signal: AbortSignal): Promise<SpoolRow[]> {
    while (this.#waiting.length === 0 && !signal.aborted) await sleep(1);
    return this.#waiting.splice(0, rowsMax).map((name) => this.#row(name));
  }

  #row(name: string): SpoolRow {
    const tell = (event: string) => void this.events.push(`${event} ${name}`);
    return {
      publication: { stream: 'S', subject: name, payload: Buffer.alloc(0), headers: headers() },
      orders: 1,
      forwarded: async () => tell('forwarded'),
      release: () => {
        tell('released');
        this.#waiting.unshift(name);
      },
      park: this.#parks ? () => tell('parked') : null,
    };
  }

  forwarded(): string[] {
    return this.events
      .filter((event) => event.startsWith('forwarded '))
      .map((event) => event.slice('forwarded '.length));
  }
}

describe('the forwarder', () => {
  it('removes a row once NATS has stored it, and no other', async (t) => {
    const spool = new FakeSpool(['a', 'b', 'c'], true);
    spool.answers.set('b', [AMBIGUOUS, AMBIGUOUS]);
    spool.forward(t);
    await until(() => spool.forwarded().length === 3, 'all rows forwarded');
    assert.deepEqual(spool.forwarded().sort(), ['a', 'b', 'c']);
    assert.deepEqual(
      spool.events.filter((event) => event.endsWith(' b')),
      ['released b', 'released b', 'forwarded b'],
    );
  });

  it('reports the first of several failures in a row', async (t) => {
    const spool = new FakeSpool(['a'], true);
    spool.answers.set('a', [AMBIGUOUS, AMBIGUOUS, STORED]);
    spool.forward(t);
    await until(() => spool.forwarded().length === 1, 'the row forwarded');
    assert.deepEqual(spool.failures, ['NATS: timeout']);
  });

  it('parks a row that NATS will not store, and goes on behind it', async (t) => {
    const spool = new FakeSpool(['a', 'b'], true);
    spool.answers.set('a', [UNFIT]);
    spool.forward(t);
    await until(() => spool.forwarded().length === 1, 'the other row forwarded');
    assert.deepEqual(spool.events, ['parked a', 'forwarded b']);
    assert.deepEqual(spool.failures, []);
  });

  it('retries such a row where rows are not parked', async (t) => {
    const spool = new FakeSpool(['a'], false);
    spool.answers.set('a', [UNFIT]);
    spool.forward(t);
    await until(() => spool.forwarded().length === 1, 'the row forwarded');
    assert.deepEqual(spool.events, ['released a', 'forwarded a']);
  });

  it('publishes nothing while the connection is down, and ends at once when it is closed', async (t) => {
    const spool = new FakeSpool(['a'], true);
    spool.up = false;
    const forwarder = spool.forward(t);
    await forwarder.close();
    assert.deepEqual(spool.published, []);
    assert.deepEqual(spool.events, []);
  });
});
