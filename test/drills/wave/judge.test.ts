import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Driven, Exchange, Outcome } from '../../../drills/wave/drive.js';
import { judge } from '../../../drills/wave/judge.js';
import { readingOf, type Watched } from '../../../drills/wave/server-watch.js';

const START_MS = 1_700_000_000_000;
const UPTIME_S = 500;
const wave = { minRps: 0, maxRps: 100, periodS: 10, periods: 1 };
const direct = { mode: 'direct', wave, rpsLimit: 50, drainRate: 0 } as const;
const queue = { mode: 'queue', wave, rpsLimit: 50, drainRate: 60 } as const;

/** So many requests, evenly from `fromS` on, each answered within a millisecond. */
function exchanges(outcome: Outcome, count: number, fromS = 0, lastsS = 10): Exchange[] {
  return Array.from({ length: count }, (_, i) => {
    const sentMs = (fromS + ((i + 0.5) * lastsS) / count) * 1000;
    return { sentMs, answeredMs: sentMs + 0.9, outcome, latencyMs: 1 };
  });
}

function driven(all: readonly Exchange[], dropped = 0): Driven {
  return { startMs: START_MS, offered: all.length + dropped, dropped, exchanges: all };
}

interface Counted {
  readonly created: number;
  readonly done?: number;
  readonly admitted?: number;
  readonly pending?: number;
}

/** Readings of a server that stands at these counts so many seconds into the wave. */
function watched(...at: readonly (readonly [tS: number, Counted])[]): Watched {
  const readings = at.map(([tS, { created, done = created, admitted = done, pending = 0 }]) =>
    readingOf(
      [
        `process_uptime_seconds ${UPTIME_S + tS}`,
        `forebay_http_responses_total{status="200"} ${created}`,
        `work_done_total{status="done"} ${done}`,
        `forebay_admitted_orders_total ${admitted}`,
        `forebay_journal_pending_orders ${pending}`,
      ].join('\n'),
    ),
  );
  return { readings, bootMs: START_MS - UPTIME_S * 1000 };
}

const none = [0, { created: 0 }] as const;

function failures(...args: Parameters<typeof judge>): string[] {
  return judge(...args)
    .verdicts.filter(({ ok }) => !ok)
    .map(({ text }) => text.split(':')[0]!);
}

describe('the judgement of direct mode', () => {
  const right = driven([...exchanges('created', 330), ...exchanges('refused', 170)]);
  /** The others would show that the limiter had room. */
  const only = ['share of 500s'];

  it('passes about the share of 500s that the sine gives, and fails others', () => {
    const shareOf = (refused: number) => {
      const all = [...exchanges('created', 500 - refused), ...exchanges('refused', refused)];
      return failures(direct, driven(all), null).filter((text) => only.includes(text));
    };
    assert.deepEqual([130, 160, 200].flatMap(shareOf), []);
    assert.deepEqual([50, 230].flatMap(shareOf), [...only, ...only]);
  });

  it('fails a 200 too many in any second, wherever it begins', () => {
    for (const fromS of [3, 3.25, 3.6]) {
      const all = [...right.exchanges, ...exchanges('created', 51, fromS, 0.9)];
      const { peakPerSecond } = judge(direct, driven(all), null);
      assert.ok(peakPerSecond > 50);
      assert.ok(failures(direct, driven(all), null).includes('peak admission rate'));
    }
  });

  it('fails refusals while the limiter has room', () => {
    const all = [...exchanges('created', 40, 0, 1), ...exchanges('refused', 1, 0.99, 0.01)];
    assert.ok(failures(direct, driven(all), null).includes('orders refused below the limit'));
    const full = [...exchanges('created', 50, 0, 0.9), ...exchanges('refused', 1, 0.99, 0.01)];
    assert.ok(!failures(direct, driven(full), null).includes('orders refused below the limit'));
  });

  it('fails any answer but 200 and 500', () => {
    const all = [...right.exchanges, ...exchanges('busy', 1)];
    assert.ok(failures(direct, driven(all), null).includes('answers other than 200 and 500'));
  });
});

describe('the judgement of queue mode', () => {
  const taken = driven(exchanges('created', 100));
  const end = [9, { created: 100 }] as const;

  it('passes a server that keeps its drain rate', () => {
    const kept = watched(none, [0.9, { created: 60, done: 60 }], end);
    assert.deepEqual(failures(queue, taken, kept), []);
  });

  it('fails a server that exceeds its drain rate once', () => {
    const fast = watched(none, [0.9, { created: 61, done: 61 }], end);
    assert.deepEqual(failures(queue, taken, fast), ['peak processing rate']);
  });

  it('fails a server that is a little too fast for long', () => {
    const many = driven(exchanges('created', 630));
    const points = Array.from({ length: 13 }, (_, i): readonly [number, Counted] => {
      const tS = i * 0.8;
      return [tS, { created: 630, done: Math.min(630, Math.floor(tS * 63)) }];
    });
    const slow = points.map(([tS, counted]): readonly [number, Counted] => [
      tS,
      { ...counted, done: Math.min(630, Math.floor(tS * 60)) },
    ]);
    const settled = [11, { created: 630 }] as const;
    const before = [-0.1, { created: 0 }] as const;
    assert.deepEqual(failures(queue, many, watched(before, ...points, settled)), [
      'peak processing rate',
    ]);
    assert.deepEqual(failures(queue, many, watched(before, ...slow, settled)), []);
  });

  it('fails a server that does not report what it admits', () => {
    const silent = { ...watched(none, end) };
    const readings = silent.readings.map((reading) => ({ ...reading, admitted: Number.NaN }));
    assert.deepEqual(failures(queue, taken, { ...silent, readings }), ['processing rate']);
  });

  it('fails orders that are processed without being admitted', () => {
    const past = watched(none, [9, { created: 100, admitted: 50 }]);
    assert.deepEqual(failures(queue, taken, past), ['orders admitted to the handler']);
  });

  it('fails orders that are lost, processed twice, or pending, and a backlog that cannot be read', () => {
    for (const done of [99, 101]) {
      const other = watched(none, [9, { created: 100, done }]);
      assert.deepEqual(failures(queue, taken, other), ['orders processed']);
    }
    for (const pending of [1, Number.NaN]) {
      const left = watched(none, [9, { created: 100, pending }]);
      assert.deepEqual(failures(queue, taken, left), ['orders still pending']);
    }
  });

  it('fails any answer but 200, and requests that were not sent', () => {
    for (const outcome of ['busy', 'refused', 'other'] as const) {
      const all = driven([...taken.exchanges, ...exchanges(outcome, 1)]);
      assert.deepEqual(failures(queue, all, watched(none, end)), ['answers other than 200']);
    }
    const cut = driven(taken.exchanges, 1);
    assert.deepEqual(failures(queue, cut, watched(none, end)), ['requests not sent']);
  });
});

describe('the seconds of a run', () => {
  it('are counted from time 0 of the wave, each order once', () => {
    const all = driven(exchanges('created', 300));
    const { seconds, peakPerSecond } = judge(
      queue,
      all,
      watched(
        [-0.5, { created: 0 }],
        [1, { created: 50, done: 40, pending: 10 }],
        [2.5, { created: 75, done: 70, pending: 5 }],
        [11.5, { created: 300 }],
      ),
    );
    assert.equal(seconds.length, 12);
    assert.deepEqual(
      seconds.slice(0, 3).map(({ created }) => created),
      [30, 30, 30],
    );
    // The 30 of the second reading may be of the second second or the third: the limit leaves them in the second.
    assert.deepEqual(
      seconds.slice(0, 3).map(({ processed }) => processed),
      [40, 30, 60],
    );
    assert.deepEqual(
      seconds.slice(0, 3).map(({ pendingOrders }) => pendingOrders),
      [10, 10, 5],
    );
    const sum = (of: 'created' | 'processed') =>
      seconds.reduce((total, second) => total + second[of], 0);
    assert.deepEqual([sum('created'), sum('processed')], [300, 300]);
    assert.equal(peakPerSecond, 60);
  });
});
