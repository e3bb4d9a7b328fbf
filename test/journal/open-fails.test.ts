import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { logFolder } from '../../src/journal/local/segment-files.js';
import { openSource } from '../../src/journal/open.js';
import type { SourceHandle } from '../../src/journal/source-handle.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { OperatorFault } from '../../src/model/fault.js';
import { loadOptions } from '../../src/options/load.js';
import { newFrameId } from './frames.js';

/** Nothing answers there. */
const NATS = 'nats://127.0.0.1:1';

const JOURNALS = [
  { name: 'local', nats: [] },
  { name: 'spool', nats: [NATS] },
] as const;

interface Attempt {
  readonly data: string;
  readonly nats: readonly string[];
  readonly claimFolder?: () => Promise<void>;
}

function open({ data, nats, claimFolder = async () => {} }: Attempt): Promise<SourceHandle> {
  const options = { ...loadOptions(['--data', data], {}), nats };
  return openSource(options, {
    newFrameId,
    acceptedOrders: () => 0,
    spooledOrders: () => 0,
    failedKeyRows: () => 0,
    counts: new ThreadCounts(createCounts(2), 0),
    log: () => {},
    requestWake: null,
    claimFolder,
    left: () => [],
  });
}

function dataFolder(t: TestContext): string {
  const data = mkdtempSync(join(tmpdir(), 'forebay-open-fails-'));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/** The files below a folder that this process has open. */
function openFiles(folder: string): string[] {
  return readdirSync('/proc/self/fd')
    .map(linkOf)
    .filter((path) => path.startsWith(folder));
}

/** Empty for a descriptor that was closed meanwhile. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

for (const { name, nats } of JOURNALS) {
  describe(`${name}: a start that fails leaves nothing open`, () => {
    it('when another process has the folder', async (t) => {
      const data = dataFolder(t);
      const inUse = new OperatorFault('in use', 1);
      const claimFolder = () => Promise.reject(inUse);
      await assert.rejects(open({ data, nats, claimFolder }), inUse);
      assert.deepEqual(openFiles(data), []);
    });

    it('when two files are the same log, and the next start succeeds', async (t) => {
      const data = dataFolder(t);
      const frames = logFolder(data);
      mkdirSync(frames, { recursive: true });
      for (const name of ['segment.full', 'segment.open']) writeFileSync(join(frames, name), '');
      await assert.rejects(open({ data, nats }), /^OperatorFault: .*are the same segment/);
      assert.deepEqual(openFiles(data), []);
      for (const name of readdirSync(frames)) rmSync(join(frames, name));
      const opened = await open({ data, nats });
      await opened.close();
      assert.deepEqual(openFiles(data), []);
    });
  });
}

describe('spool: a start that fails leaves nothing open', () => {
  it('when a NATS URL cannot be parsed', async (t) => {
    const data = dataFolder(t);
    await assert.rejects(open({ data, nats: ['nats://127.0.0.1:99999'] }), /--nats: URL 1/);
    assert.deepEqual(openFiles(data), []);
  });
});
