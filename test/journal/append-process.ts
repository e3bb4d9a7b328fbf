// Commits frames until it is killed; prints the id of each once it is durable.
import { writeSync } from 'node:fs';
import { openLocalAppender } from '../../src/journal/local/open.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { fresh } from './frames.js';

const folder = process.argv[2]!;
await new LocalStore(folder).close();
const appender = await openLocalAppender(folder);

async function commitForEver(): Promise<void> {
  for (;;) {
    const frame = fresh(8);
    await appender.commit(frame);
    writeSync(1, `${frame.id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, commitForEver));
