import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { Appender } from '../../src/model/journal.js';
import { testAppender, writingSide } from './appender-conformance.js';
import { testJournal } from './conformance.js';
import { newFrameId } from './frames.js';
import type { JournalUnderTest } from './journal-under-test.js';

async function create(
  openAppender: (folder: string) => Promise<Appender>,
): Promise<JournalUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-journal-'));
  return {
    openAppender: () => openAppender(folder),
    openSource: async (acceptedOrders) =>
      new LocalSource(new LocalStore(folder), {
        newFrameId,
        acceptedOrders,
        retryMsMax: 60_000,
        log: console.error,
      }),
    threadAppender: { journal: 'local', folder },
    deadLetters: async () => {
      const store = new LocalStore(folder);
      const letters = [...store.dead.getRange()].map(({ key, value }) => {
        const { reason, attempts, firstAtMs, lastAtMs } = JSON.parse(value.toString('utf8'));
        const body = value.subarray(value.indexOf(',"body":') + 8, -1);
        const orderId = key.toString('latin1');
        return { orderId, reason, attempts, firstAtMs, lastAtMs, body };
      });
      await store.close();
      return letters;
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

async function intoTables(folder: string): Promise<Appender> {
  return new LocalAppender(new LocalStore(folder));
}

async function intoLog(folder: string): Promise<Appender> {
  await new LocalStore(folder).close();
  return openLocalAppender(folder);
}

for (const [name, openAppender] of [
  ['local, by way of the log', intoLog],
  ['local, into the tables', intoTables],
] as const) {
  testJournal(name, () => create(openAppender));
  testAppender(name, async () => writingSide(await create(openAppender)));
}
