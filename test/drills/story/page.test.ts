import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { histogramOf, quantilesOf, serverFigures } from '../../../drills/story/figures.js';
import { parseStoryOptions } from '../../../drills/story/options.js';
import { storyPage } from '../../../drills/story/page/page.js';
import type { ModeRecord, StoryRecord } from '../../../drills/story/record.js';
import type { Exchange } from '../../../drills/wave/drive.js';
import { judge } from '../../../drills/wave/judge.js';
import { readingOf } from '../../../drills/wave/server-watch.js';
import { directRun, drainRun, randomOf, seed } from '../wave/stutter.js';
import { assertPageAgrees } from './agreement.js';
import { assertSelfContained, assertWellFormed, dataOf, rowOf, textOf } from './html.js';
import { metricsText } from './metrics-text.js';

const START_MS = 1_700_000_000_000;
const BOOT_MS = START_MS - 20_000;
const { wave, rpsLimit, drainRate } = parseStoryOptions(
  ['--period-s', '5', '--periods', '1'],
  assert.fail,
);

/** A mode whose requests went like this, and whose server had counted so much so many seconds into the wave. */
function recordOf(
  mode: 'direct' | 'queue',
  exchanges: readonly Exchange[],
  counts: readonly (Parameters<typeof metricsText>[0] & { readonly atS: number })[],
): ModeRecord {
  const readings = counts.map(({ atS, ...counted }) =>
    readingOf(metricsText({ ...counted, uptimeS: 20 + atS })),
  );
  const watched = { readings, bootMs: BOOT_MS };
  const latencies = (outcome: string) =>
    exchanges.filter((one) => one.outcome === outcome).map(({ latencyMs }) => latencyMs);
  const [created, refused] = [latencies('created'), latencies('refused')];
  const driven = { startMs: START_MS, offered: exchanges.length, dropped: 0, exchanges };
  return {
    mode,
    serverCommand: `npm start -- --mode ${mode}`,
    loadCommand: 'node dist/src/main.js wave',
    durability: 'fsync',
    offered: exchanges.length,
    dropped: 0,
    created: created.length,
    refused: refused.length,
    other: exchanges.length - created.length - refused.length,
    server: serverFigures(watched, START_MS, wave),
    latencyMs: {
      all: quantilesOf([...created, ...refused]),
      created: quantilesOf(created),
      refused: quantilesOf(refused),
    },
    histogram: { created: histogramOf(created), refused: histogramOf(refused) },
    ...judge({ mode, wave, rpsLimit, drainRate }, driven, watched),
  };
}

/** Five seconds with so many answers in each. */
function evenRecord(mode: 'direct' | 'queue', created: number, refused: number): ModeRecord {
  const of = (
    outcome: 'created' | 'refused',
    perSecond: number,
    latencyMs: (i: number) => number,
  ) =>
    Array.from({ length: perSecond * 5 }, (_, i): Exchange => {
      const sentMs = ((i + 0.5) * 1000) / perSecond;
      return { sentMs, answeredMs: sentMs + 1, outcome, latencyMs: latencyMs(i) };
    });
  const exchanges = [
    ...of('created', created, (i) => 1 + i / 100),
    ...of('refused', refused, () => 0.5),
  ];
  const counts = Array.from({ length: 6 }, (_, atS) => ({
    atS,
    created: atS * created,
    refused: atS * refused,
    done: atS * created,
  }));
  return recordOf(mode, exchanges, counts);
}

function story(more: Partial<StoryRecord> = {}): StoryRecord {
  return {
    forebay: '0.0.0',
    takenAt: '2026-11-24T06:00:00.000Z',
    command: 'npm run story',
    generator: 'the built-in generator',
    latencyMeans: 'from here to there',
    machine: {
      cpu: 'A CPU </script><b>',
      cores: 2,
      memoryGb: 8,
      system: 'Linux',
      node: '20.0.0',
      loadAverage: 0.5,
    },
    wave,
    rpsLimit,
    drainRate,
    ok: true,
    direct: evenRecord('direct', 40, 20),
    queue: evenRecord('queue', 50, 0),
    ...more,
  };
}

describe('the page of the story', () => {
  it('is well-formed, loads nothing, and holds its own data', () => {
    const html = storyPage(story());
    assertWellFormed(html);
    assertSelfContained(html);
    assert.deepEqual(dataOf(html), JSON.parse(JSON.stringify(story())));
  });

  it('has the figures in the text, in a table and in the text for screen readers', () => {
    const html = storyPage(story());
    assert.deepEqual(rowOf(html, 'answered 200'), ['200 66.7\u202f%', '250 100.0\u202f%']);
    assert.deepEqual(rowOf(html, 'answered 500'), ['100 33.3\u202f%', '0 0.0\u202f%']);
    assert.deepEqual(rowOf(html, 'p99.9'), ['3.0\u202fms', '3.5\u202fms']);
    assert.ok(html.includes('Answers per second over 5.0\u202fs: 200 with status 200, 100 with'));
    assert.match(textOf(html), /100 of 300 orders are refused \(33\.3\u202f%\)/);
  });

  it('draws both modes to the same scale', () => {
    const html = storyPage(story());
    const axes = Array.from(
      html.matchAll(/<h3>([^<]*)<\/h3>[\s\S]*?<div class="y-axis"[^>]*>(.*?)<\/div>/g),
      ([, title, axis]) => [title!, axis!] as const,
    );
    const titles = [...new Set(axes.map(([title]) => title))];
    assert.equal(axes.length, 8);
    assert.equal(titles.length, 4);
    for (const title of titles) {
      const own = axes.filter(([name]) => name === title).map(([, axis]) => axis);
      assert.equal(own[0], own[1], title);
    }
  });

  it('draws each second in its place', () => {
    const html = storyPage(story());
    // Of the six areas of rates the first is direct's 200s: 40 a second on a scale to 108.
    const [, top] = /<path class="created" d="M0 ([\d.]+)H200L/.exec(html)!;
    assert.ok(Math.abs(Number(top) - 400 * (1 - 40 / 108)) < 0.01);
    assert.match(html, /<title>1 to 2 s: 200: 40, 500: 20; the wave asks for/);
  });

  it('agrees with itself: text, table, bars and checks, on a machine that stutters too', (t) => {
    t.diagnostic(`FOREBAY_SEED=${seed}`);
    for (let i = 0; i < 20; i++) {
      const random = randomOf(seed + i);
      const stallMsMax = [0, 50, 400][i % 3]!;
      const { created, refused } = directRun(random, { limit: 50, rps: 80, lastsS: 5, stallMsMax });
      const answers = (all: typeof created, outcome: 'created' | 'refused') =>
        all.map((times) => ({ ...times, outcome, latencyMs: times.answeredMs - times.sentMs }));
      const exchanges = [...answers(created, 'created'), ...answers(refused, 'refused')];
      const start = { atS: -0.1, created: 0, done: 0 };
      const end = {
        atS: 9,
        created: created.length,
        refused: refused.length,
        done: created.length,
      };
      const direct = recordOf('direct', exchanges, [start, end]);
      const readings = drainRun(random, { rate: 50, lastsS: 6, stallMsMax });
      const all = readings.at(-1)!.count;
      const taken = Array.from({ length: all }, (_, n): Exchange => {
        const sentMs = (n * 5000) / all;
        return { sentMs, answeredMs: sentMs + 1, outcome: 'created', latencyMs: 1 };
      });
      const queue = recordOf('queue', taken, [
        start,
        ...readings.map(({ atS, count }) => ({
          atS,
          created: all,
          done: count,
          pending: all - count,
        })),
        { atS: 9, created: all, done: all },
      ]);
      const whole = story({ direct, queue });
      assertPageAgrees(storyPage(whole), whole);
    }
  });

  it('agrees with itself when a server is too fast', () => {
    const whole = story({
      direct: evenRecord('direct', 53, 20),
      queue: evenRecord('queue', 60, 0),
    });
    const html = storyPage(whole);
    assertPageAgrees(html, whole);
    assert.match(html, /FAIL<\/b> <span>peak admission rate: 53\/s/);
    assert.match(html, /FAIL<\/b> <span>peak processing rate: 60\/s/);
  });

  it('says when a check failed, or a mode accepted nothing', () => {
    const verdicts = [{ ok: false, text: 'share of 500s' }];
    const direct = { ...evenRecord('direct', 0, 60), verdicts };
    const html = storyPage(story({ ok: false, direct }));
    assertWellFormed(html);
    assert.match(html, /1 of \d checks failed/);
    assert.match(html, /<li class="fail"><b>FAIL<\/b> <span>share of 500s/);
    assert.match(textOf(html), /load\naverage was 0\.5 on 2 cores/);
    assert.match(textOf(html), /answered no order with 200: there is nothing to compare/);
    assert.deepEqual(rowOf(html, 'p99.9'), ['–', '3.5\u202fms']);
  });

  it('does not say that orders are safe when some were lost', () => {
    const queue = evenRecord('queue', 50, 0);
    const lost = { ...queue, server: { ...queue.server, done: 240, pendingOrdersEnd: 3 } };
    const text = textOf(storyPage(story({ queue: lost })));
    assert.match(text, /It did not hold here: 250 answered 200, 240 processed, 3 pending/);
    assert.doesNotMatch(text, /Every order is processed|none is refused/);
  });
});
