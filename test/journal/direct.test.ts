import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { openDrain } from '../../src/drain/open.js';
import { DirectAppender } from '../../src/journal/direct-appender.js';
import { memoryControl } from '../../src/journal/kept-control.js';
import { monotonicNs } from '../../src/limit/clock.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { loadOptions } from '../../src/options/load.js';
import { testAppender } from './appender-conformance.js';

const HANDLE_ENTRY = fileURLToPath(new URL('../../workers/pool/entry.cjs', import.meta.url));

/** A busy machine may take longer than the default of a second to start a pool thread. */
const DIRECT = ['--mode', 'direct', '--commit-ms-max', '60000'];

testAppender('direct', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-direct-'));
  const ledger = join(folder, 'ledger.ndjson');
  const handler = join(folder, 'handler.mjs');
  writeFileSync(
    handler,
    `import { appendFileSync } from 'node:fs';
     export default (orders) => {
       appendFileSync(${JSON.stringify(ledger)}, orders.map(({ data }) => JSON.stringify(data) + '\\n').join(''));
     };`,
  );
  const options = loadOptions([...DIRECT, '--workers', '2'], {});
  const drain = openDrain({
    options,
    source: null,
    hand: null,
    counts: new ThreadCounts(createCounts(1), 0),
    entry: HANDLE_ENTRY,
    handlerUrl: pathToFileURL(handler).href,
    ...memoryControl(options, console.error),
    nowNs: monotonicNs,
    log: console.error,
  });
  return {
    openAppender: async () => {
      const { port1, port2 } = new MessageChannel();
      drain.serveDirect(port1);
      return new DirectAppender(port2, options.commitMsMax);
    },
    lines: async () => readFileSync(ledger, 'utf8').trimEnd().split('\n'),
    remove: async () => {
      await drain.stop();
      await drain.destroyPool();
      rmSync(folder, { recursive: true });
    },
  };
});
