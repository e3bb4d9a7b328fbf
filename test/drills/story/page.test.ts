import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStoryOptions } from '../../../drills/story/options.js';
import { storyPage } from '../../../drills/story/page/page.js';
import {
  type ActRecord,
  histogramOf,
  quantilesOf,
  type StoryRecord,
} from '../../../drills/story/record.js';
import { sampleOf } from '../../../drills/story/sample.js';
import { servedFigures, stepsOf } from '../../../drills/story/seconds.js';
import { assertSelfContained, assertWellFormed, dataOf, rowOf, textOf } from './html.js';
import { metricsText } from './sample-text.js';

const START_MS = 1_700_000_000_000;
const { wave, limitRps, drainRps } = parseStoryOptions(['--period-s', '5', '--periods', '1']);

/** An act of five seconds in which the server counted these in each. */
function act(mode: 'direct' | 'queue', created: number, refused: number): ActRecord {
  const samples = [0, 1, 2, 3, 4, 5].map((second) =>
    sampleOf(
      metricsText({ created: second * created, refused: second * refused, done: second * created }),
      START_MS + second * 1000,
    ),
  );
  const taken = Array.from({ length: created * 5 }, (_, i) => 1 + i / 100);
  const sent = Array.from({ length: refused * 5 }, () => 0.5);
  const steps = stepsOf(samples, START_MS, wave);
  return {
    mode,
    serverCommand: `npm start -- --mode ${mode}`,
    loadCommand: 'node dist/src/main.js wave',
    durability: 'fsync',
    offered: taken.length + sent.length,
    dropped: 0,
    created: taken.length,
    refused: sent.length,
    other: 0,
    served: servedFigures(samples, steps, wave),
    latencyMs: {
      all: quantilesOf([...taken, ...sent]),
      created: quantilesOf(taken),
      refused: quantilesOf(sent),
    },
    histogram: { created: histogramOf(taken), refused: histogramOf(sent) },
    steps,
    verdicts: [{ ok: true, text: 'all <well> & good' }],
  };
}

function record(more: Partial<StoryRecord> = {}): StoryRecord {
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
    limitRps,
    drainRps,
    ok: true,
    direct: act('direct', 40, 20),
    queue: act('queue', 60, 0),
    ...more,
  };
}

describe('the page of the story', () => {
  it('is whole, needs nothing from outside, and holds its own data', () => {
    const html = storyPage(record());
    assertWellFormed(html);
    assertSelfContained(html);
    assert.deepEqual(dataOf(html), JSON.parse(JSON.stringify(record())));
  });

  it('has the figures in words, in a table and in what is read out for a picture', () => {
    const html = storyPage(record());
    assert.deepEqual(rowOf(html, 'answered 200'), ['200 66.7\u202f%', '300 100.0\u202f%']);
    assert.deepEqual(rowOf(html, 'answered 500'), ['100 33.3\u202f%', '0 0.0\u202f%']);
    assert.deepEqual(rowOf(html, 'p99.9'), ['3.0\u202fms', '4.0\u202fms']);
    assert.match(
      html,
      /aria-label="Answers a second over 5\.0\u202fs: 200 with status 200, 100 with/,
    );
    assert.match(textOf(html), /turns 100 of 300 customers away \(33\.3\u202f%\)/);
    assert.match(html, /All 2 checks of this run passed/);
  });

  it('draws both modes to the same scale', () => {
    const html = storyPage(record());
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

  it('puts each second where it belongs', () => {
    const html = storyPage(record());
    // Of the six areas of rates the first is direct's 200s: 40 a second on a scale to 108.
    const [, top] = /<path class="created" d="M0 ([\d.]+)H200L/.exec(html)!;
    assert.ok(Math.abs(Number(top) - 400 * (1 - 40 / 108)) < 0.01);
    assert.match(html, /<title>1 to 2 s: 200: 40\.0, 500: 20\.0 a second; the wave says/);
  });

  it('says so when a check failed, or a mode took nothing', () => {
    const direct = { ...act('direct', 0, 60), verdicts: [{ ok: false, text: 'share of 500s' }] };
    const html = storyPage(record({ ok: false, direct }));
    assertWellFormed(html);
    assert.match(html, /1 of 2 checks failed/);
    assert.match(html, /<li class="fail"><b>FAIL<\/b> <span>share of 500s/);
    assert.match(textOf(html), /load average was 0\.5 on 2 cores/);
    assert.match(textOf(html), /answered no order with 200: nothing to compare/);
    assert.deepEqual(rowOf(html, 'p99.9'), ['–', '4.0\u202fms']);
  });

  it('does not say that orders are safe when some were lost', () => {
    const queue = act('queue', 60, 0);
    const lost = { ...queue, served: { ...queue.served, done: 290, pendingOrdersEnd: 3 } };
    const text = textOf(storyPage(record({ queue: lost })));
    assert.match(text, /Here it did not hold: 300 answered 200, 290 processed, 3 wait/);
    assert.doesNotMatch(text, /Everyone is served|turns nobody away/);
  });
});
