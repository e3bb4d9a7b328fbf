import assert from 'node:assert/strict';
import { constants, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { LogRow } from '../../src/journal/frame/log-record.js';
import {
  listSegments,
  makeSegment,
  SEGMENT_BYTES,
  type Segment,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { SegmentReader } from '../../src/journal/local/segment-reader.js';
import { SegmentWriter } from '../../src/journal/local/segment-writer.js';
import { DelayedWrites } from './delayed-writes.js';
import { fresh } from './frames.js';
import { row } from './temp-journal.js';

interface Opened {
  readonly folder: string;
  readonly segment: Segment;
  readonly open: SegmentWriter;
}

async function openOne(t: TestContext): Promise<Opened> {
  const data = mkdtempSync(join(tmpdir(), 'forebay-segment-'));
  t.after(() => rmSync(data, { recursive: true }));
  const folder = join(data, 'frames');
  const segment = await makeSegment(folder);
  return { folder, segment, open: new SegmentWriter(folder, segment) };
}

/** Appends the rows, and records how each ended, in the order of the reports. */
function appendAll(open: SegmentWriter, rows: readonly LogRow[]): string[] {
  const told: string[] = [];
  rows.forEach((one, i) => {
    open.append(one).then(
      () => told.push(`${i} durable`),
      (error: Error) => told.push(`${i} ${error.message}`),
    );
  });
  return told;
}

/** Waits until all promises that can settle have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function keysIn({ folder, segment }: Opened): string[] {
  const reader = new SegmentReader(folder, segment, null);
  try {
    return reader
      .read(SEGMENT_BYTES, true)
      .records.map(({ key }) => Buffer.from(key).toString('latin1'));
  } finally {
    reader.close();
  }
}

function state({ folder }: Opened): string {
  return listSegments(folder)
    .map((segment) => segment.state)
    .join();
}

describe('a segment writer', () => {
  const rows = [fresh(1), fresh(200), fresh(3), fresh(1)].map(row);
  const keys = rows.map(({ key }) => Buffer.from(key).toString('latin1'));

  test('frames become durable in the order of their positions, whichever write ends first', async (t) => {
    const opened = await openOne(t);
    const { delayed } = new DelayedWrites(t);
    const told = appendAll(opened.open, rows);
    for (const i of [3, 1]) delayed[i]!.report();
    await settled();
    assert.deepEqual(told, []);
    delayed[0]!.report();
    await settled();
    assert.deepEqual(told, ['0 durable', '1 durable']);
    delayed[2]!.report();
    await settled();
    assert.deepEqual(told, ['0 durable', '1 durable', '2 durable', '3 durable']);
    assert.deepEqual(keysIn(opened), keys);
    opened.open.retire();
  });

  test('after a failed write no later frame is durable, even if its own write succeeded', async (t) => {
    const opened = await openOne(t);
    const { delayed } = new DelayedWrites(t);
    const told = appendAll(opened.open, rows);
    for (const i of [0, 2, 3]) delayed[i]!.report();
    await settled();
    assert.deepEqual(told, ['0 durable']);
    delayed[1]!.report(new Error('EIO'));
    await settled();
    assert.deepEqual(told, ['0 durable', '1 EIO', '2 EIO', '3 EIO']);
    assert.equal(opened.open.isBroken, true);
    opened.open.retire();
    assert.equal(state(opened), 'broken');
  });

  test('a partly written record is durable once all of it is written', async (t) => {
    const opened = await openOne(t);
    const { delayed } = new DelayedWrites(t, () => 1000);
    const appended = opened.open.append(rows[1]!);
    assert.equal(delayed[0]!.bytes, 1000);
    assert.deepEqual(keysIn(opened), []);
    delayed[0]!.report();
    await appended;
    assert.deepEqual(keysIn(opened), [keys[1]]);
    opened.open.retire();
  });

  test('it is free for others after the last write, not before', async (t) => {
    const opened = await openOne(t);
    const { delayed } = new DelayedWrites(t);
    const told = appendAll(opened.open, rows);
    opened.open.retire();
    for (const i of [0, 1, 3]) delayed[i]!.report();
    assert.equal(state(opened), 'open');
    delayed[2]!.report();
    assert.equal(state(opened), 'full');
    await settled();
    assert.equal(told.length, 4);
  });

  test('a write returns when the disk has it', async (t) => {
    const opened = await openOne(t);
    const path = segmentPath(opened.folder, opened.segment);
    const descriptor = readdirSync('/proc/self/fd').find((name) => linkOf(name) === path);
    const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(info)![1]!, 8);
    assert.equal(flags & constants.O_DSYNC, constants.O_DSYNC);
    opened.open.retire();
  });
});

/** Empty for a descriptor that was closed meanwhile. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}
