// Commits frames until it is killed; prints the id of each once it is durable.
import { writeSync } from 'node:fs';
import { LocalAppender } from '../../src/journal/local/local-appender.js';
import { LocalStore } from '../../src/journal/local/local-store.js';
import { fresh } from './frames.js';

const appender = new LocalAppender(new LocalStore(process.argv[2]!));

async function commitForEver(): Promise<void> {
  for (;;) {
    const frame = fresh(8);
    await appender.commit(frame);
    writeSync(1, `${frame.id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, commitForEver));
