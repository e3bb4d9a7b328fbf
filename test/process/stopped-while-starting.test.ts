import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Server } from '../../src/cli/serve/server.js';
import type { LogEvent } from '../../src/model/log.js';
import { optionsOf } from '../../src/options/load.js';
import { claimFolder } from '../../src/process/locks.js';
import { Shutdown } from '../../src/process/shutdown.js';
import { withDeadline } from '../support/deadline.js';
import { testOwner } from '../support/reverse-owner.js';

/** The last thing that a start tells, before it begins to process orders. */
const LAST: LogEvent = 'http-engine';

describe('a server that is told to stop while it starts', () => {
  for (const threads of [0, 1]) {
    for (const [when, event] of [
      ['at once', null],
      ['at the end', LAST],
    ] as const) {
      it(`stops in order and does not start: ${when}, --threads ${threads}`, async (t) => {
        const owner = testOwner(t);
        const data = mkdtempSync(join(tmpdir(), 'forebay-starting-'));
        owner.after(async () => rmSync(data, { recursive: true, force: true }));
        const events: LogEvent[] = [];
        const faults: Error[] = [];
        let stopped: Promise<Error | null> | null = null;
        const server = await Server.open({
          options: optionsOf({ host: '127.0.0.1', port: 0, adminPort: 0, data, threads }),
          log: (told) => {
            events.push(told);
            if (told === event) stop();
          },
          redact: (text) => text,
          recent: () => [],
          onFault: (fault) => faults.push(fault),
        });
        const ignore = () => {};
        const stop = () => {
          stopped ??= new Shutdown(() => server.steps, ignore, ignore).run();
          return stopped;
        };
        owner.after(async () => void (await stop()));
        const starting = server.start();
        if (event === null) void stop();
        // What it needs may be closed before it comes to that.
        const isStarted = await withDeadline(
          starting.catch(() => false),
          'the start ends',
        );
        assert.equal(isStarted, false);
        assert.equal(await withDeadline(stop(), 'it stops'), null);
        assert.equal(events.includes(LAST), event === LAST);
        assert.deepEqual(faults, []);
        await (await claimFolder(data))();
      });
    }
  }
});
