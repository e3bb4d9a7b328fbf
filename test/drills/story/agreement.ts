import assert from 'node:assert/strict';
import type { ModeRecord, StoryRecord } from '../../../drills/story/record.js';
import { rowOf, textOf } from './html.js';

const HEIGHT = 400;

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

function numberIn(text: string): number {
  return Number(text.replaceAll(',', '').split(/[^\d.]/)[0]);
}

/** @throws AssertionError the page's text, tables, bars and checks do not agree with each other */
export function assertPageAgrees(html: string, story: StoryRecord): void {
  const columns = html.split('<section class="mode"').slice(1);
  const tables = html.split('<table class="seconds">').slice(1);
  const parts = [story.direct, story.queue];
  parts.forEach((record, mode) => {
    const rows = secondsOf(tables[mode]!);
    const of = (place: number) => rows.map((row) => row[place]!);
    const [created, refused, processed] = [of(2), of(3), of(4)];
    // Bars and table.
    const column = columns[mode]!.split('<figure>');
    assert.deepEqual(heightsOf(column[1]!, 'created'), created);
    assert.deepEqual(heightsOf(column[2]!, 'done'), processed);
    const tops = refused.map((count, i) => (count === 0 ? created[i]! : created[i]! + count));
    assert.deepEqual(heightsOf(column[1]!, 'refused'), tops);
    // Table and figures.
    const figure = (name: string) => numberIn(rowOf(html, name)[mode]!);
    assert.equal(sum(created), figure('answered 200'));
    assert.equal(sum(refused), figure('answered 500'));
    assert.equal(sum(processed), figure('processed'));
    // Key figures and text.
    const keys = Array.from(columns[mode]!.matchAll(/<dd>([^<]*)<\/dd>/g), ([, dd]) =>
      numberIn(dd!),
    );
    assert.deepEqual(keys.slice(0, 3), [sum(created), sum(refused), sum(processed)]);
    assertPeakAgrees(html, story, record, processed, figure('most processed in any second'));
  });
  const lead = textOf(/<p class="lead">(.*?)<\/p>/s.exec(html)![1]!);
  const { refused, offered } = story.direct;
  assert.match(
    lead,
    new RegExp(
      `${refused.toLocaleString('en-US')} of ${offered.toLocaleString('en-US')} orders are refused`,
    ),
  );
  assert.ok(lead.includes(story.queue.created.toLocaleString('en-US')));
}

function assertPeakAgrees(
  html: string,
  { rpsLimit, drainRate }: StoryRecord,
  record: ModeRecord,
  processed: readonly number[],
  shown: number,
): void {
  const [name, limit] =
    record.mode === 'direct'
      ? ['peak admission rate', rpsLimit]
      : ['peak processing rate', drainRate];
  const check = new RegExp(
    `<b>(ok|FAIL)</b> <span>${name}: ([\\d.]+)/s( over \\d+ s)? \\(limit ${limit}/s\\)`,
  );
  const [, verdict, peak] = check.exec(html)!;
  assert.equal(Number(peak), shown);
  assert.equal(verdict, Number(peak) <= limit ? 'ok' : 'FAIL');
  assert.ok(
    Math.max(...processed) <= shown,
    `a bar of ${Math.max(...processed)}, a peak of ${shown}`,
  );
  // What went through in all those seconds cannot be more than the peak in each of them.
  assert.ok(sum(processed) <= shown * processed.length);
  const alts = Array.from(html.matchAll(/at most ([\d.]+) in any second/g), ([, most]) =>
    Number(most),
  );
  assert.equal(alts[record.mode === 'direct' ? 0 : 1], shown);
}

function secondsOf(table: string): number[][] {
  const body = /<tbody>(.*?)<\/tbody>/s.exec(table)![1]!;
  return Array.from(body.matchAll(/<tr>(.*?)<\/tr>/gs), ([, row]) =>
    Array.from(row!.matchAll(/>([\d.,]+)</g), ([, cell]) => numberIn(cell!)),
  );
}

/** The heights of a plot's bars, measured on its axis. */
function heightsOf(figure: string, look: string): number[] {
  const axis = /<div class="y-axis"[^>]*>(.*?)<\/div>/.exec(figure)![1]!;
  const ticks = Array.from(axis.matchAll(/bottom:([\d.]+)%">([\d,]+)</g), ([, at, value]) => [
    Number(at),
    numberIn(value!),
  ]);
  const [at, value] = ticks.at(-1)!;
  const yMax = value! / (at! / 100);
  const path = new RegExp(`<path class="${look}" d="M([^"]*)Z"`).exec(figure)![1]!;
  const steps = path.split('L');
  return steps
    .slice(0, steps.length / 2)
    .map((step) => Number(step.split(' ')[1]!.split('H')[0]))
    .map((y) => Math.round((1 - y / HEIGHT) * yMax));
}
