import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Appender, CommitAmbiguous, CommitRefused } from '../../src/model/journal.js';
import { commitAll, fresh } from './frames.js';
import type { JournalUnderTest } from './journal-under-test.js';

/** The writing side of a journal under test. */
export interface AppenderUnderTest {
  openAppender(): Promise<Appender>;
  /** The lines that have arrived on the other side, in any order; read once, at the end. */
  lines(): Promise<string[]>;
  remove(): Promise<void>;
}

/** The writing side of a journal whose other side is a source. */
export function writingSide(journal: JournalUnderTest): AppenderUnderTest {
  return {
    openAppender: () => journal.openAppender(),
    lines: async () => {
      const source = await journal.openSource(() => 0);
      const found = await source.pull(1000, AbortSignal.timeout(10_000));
      const lines = found.flatMap(({ frame }) => linesOf(frame.payload));
      await source.close();
      return lines;
    },
    remove: () => journal.remove(),
  };
}

/** What every journal guarantees to an intake thread, including direct mode. */
export function testAppender(name: string, create: () => Promise<AppenderUnderTest>): void {
  describe(`${name}: as every appender`, () => {
    let journal: AppenderUnderTest;
    let appender: Appender;
    const committed: string[] = [];

    before(async () => {
      journal = await create();
      appender = await journal.openAppender();
    });

    after(async () => {
      await appender?.close();
      await journal?.remove();
    });

    test('is writable and has no fault when open', () => {
      assert.equal(appender.writable, true);
      assert.equal(appender.reason, '');
    });

    test('a commit resolves once all its orders are stored', async () => {
      const frame = fresh(3);
      committed.push(...linesOf(frame.payload));
      assert.equal(await appender.commit(frame), null);
    });

    test('many commits at once all resolve', async () => {
      const frames = Array.from({ length: 20 }, (_, i) => fresh(1 + (i % 7)));
      committed.push(...frames.flatMap(({ payload }) => linesOf(payload)));
      await commitAll(appender, frames);
    });

    test('the buffer of a frame may be reused once the commit has resolved', async () => {
      const frame = fresh(5);
      committed.push(...linesOf(frame.payload));
      const buffer = new Uint8Array(frame.payload.length + 100).fill(0x2e);
      buffer.set(frame.payload, 50);
      const payload = buffer.subarray(50, 50 + frame.payload.length);
      await appender.commit({ ...frame, payload });
      assert.equal(buffer.length, payload.length + 100);
      buffer.fill(0);
    });

    test('closing settles every commit; later ones are refused with a reason', async () => {
      const frame = fresh(1);
      const last = appender.commit(frame).then(
        () => committed.push(...linesOf(frame.payload)),
        (error) => {
          const isKnown = error instanceof CommitRefused || error instanceof CommitAmbiguous;
          assert.ok(isKnown, String(error));
        },
      );
      await appender.close();
      await last;
      assert.equal(appender.writable, false);
      assert.notEqual(appender.reason, '');
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
    });

    test('every committed order arrives byte for byte, once', async () => {
      const lines = await journal.lines();
      const known = new Set(committed);
      // An ambiguous last commit may or may not have arrived.
      assert.deepEqual(lines.filter((line) => known.has(line)).sort(), committed.sort());
    });
  });
}

function linesOf(payload: Uint8Array): string[] {
  return Buffer.from(payload).toString('utf8').trimEnd().split('\n');
}
