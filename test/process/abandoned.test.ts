import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { createKeyTableMemory } from '../../src/idempotency/key-table-setup.js';
import { copyFault } from '../../src/journal/store/open-mark.js';
import { WakeFlag } from '../../src/memory/wake-flag.js';
import { createCounts } from '../../src/metrics/count.js';
import { optionsOf } from '../../src/options/load.js';
import { DrainThread } from '../../workers/drain/drain-thread.js';
import { handlerUrl } from '../../workers/pool/handler-file.js';
import { withDeadline } from '../support/deadline.js';

it('a drain thread that is abandoned while it opens closes its journal', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-abandoned-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const options = optionsOf({ data });
  let ended: Promise<void> | null = null;
  const drain = new DrainThread(
    {
      options,
      handler: handlerUrl(options.handler),
      counts: createCounts(3),
      intakeThreads: 1,
      keys: createKeyTableMemory(options),
      wakeFlag: WakeFlag.memory(),
    },
    {
      log: () => {},
      // The next that it hears after the claim.
      claimFolder: async () =>
        void setImmediate(() => {
          ended = drain.end();
        }),
      onFault: (fault) => assert.fail(fault),
    },
  );
  // It answers, or has ended before that.
  await withDeadline(
    drain.open().catch(() => {}),
    'it opens',
  );
  await withDeadline(ended!, 'it ends');
  const copy = join(folder, 'copy');
  cpSync(data, copy, { recursive: true });
  assert.equal(copyFault(copy), null);
});
