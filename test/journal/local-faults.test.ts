import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OperatorFault } from '../../src/contract/fault.js';
import { CommitRefused } from '../../src/contract/journal.js';
import { LocalAppender } from '../../src/journal/local-appender.js';
import { LocalSource } from '../../src/journal/local-source.js';
import { LocalStore } from '../../src/journal/local-store.js';
import { fresh, newFrameId, NOTHING, take, until } from './frames.js';

const isRoot = process.getuid?.() === 0;

describe('local: a data folder that cannot be used is one line with the remedy', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'forebay-faults-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function assertFault(path: string): void {
    assert.throws(
      () => new LocalStore(path),
      (error) => {
        assert.ok(error instanceof OperatorFault);
        assert.equal(error.exitCode, 1);
        assert.ok(error.message.includes(path) && error.message.includes('--data'));
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
  }

  test('a file in its place', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assertFault(file);
    assertFault(join(file, 'below'));
  });

  test('a folder that may not be written', { skip: isRoot && 'root may write anywhere' }, () => {
    const locked = mkdtempSync(join(folder, 'locked-'));
    chmodSync(locked, 0o500);
    assertFault(locked);
  });

  test('a file system that cannot be written', () => assertFault('/proc/forebay'));

  test('a journal file that is none', () => {
    const broken = mkdtempSync(join(folder, 'broken-'));
    writeFileSync(join(broken, 'journal.lmdb'), 'not a journal'.repeat(1000));
    assertFault(broken);
  });
});

describe(
  'local: on a disk that is full',
  { skip: !isRoot && 'mounting a small file system needs root' },
  () => {
    const log: string[] = [];
    let disk: string;
    let accepted = 0;
    let appender: LocalAppender;
    let source: LocalSource;

    before(() => {
      disk = mkdtempSync(join(tmpdir(), 'forebay-full-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', disk]);
      appender = new LocalAppender(new LocalStore(disk));
      source = new LocalSource(new LocalStore(disk), {
        newFrameId,
        acceptedOrders: () => accepted,
        log: (line) => log.push(line),
      });
    });

    after(async () => {
      await appender.close();
      await source.close();
      execFileSync('umount', [disk]);
      rmSync(disk, { recursive: true });
    });

    /** Commits until one is refused, one at a time. */
    async function fill(count: number): Promise<unknown> {
      for (;;) {
        try {
          await appender.commit(fresh(count));
          accepted += count;
        } catch (error) {
          return error;
        }
      }
    }

    test('a commit is refused in one line, and tried again a little later', async () => {
      const refusal = await fill(256);
      assert.ok(refusal instanceof CommitRefused);
      assert.match(refusal.message, /^No space left on device$/);
      assert.equal(appender.writable, false);
      assert.ok(appender.reason.includes(disk) && appender.reason.includes('No space left'));
      await assert.rejects(appender.commit(fresh(1)), CommitRefused);
      await until(() => appender.writable, 'writable again');
    });

    test('what was accepted is processed, which makes room', async () => {
      const frames = accepted / 256;
      const taken = await take(source, frames);
      assert.equal(taken.length, frames);
      await Promise.all(taken.map((delivery) => delivery.settle(NOTHING)));
      assert.equal(source.pendingOrders(), 0);
      await until(() => appender.writable, 'writable again');
      const again = fresh(1);
      await appender.commit(again);
      const [delivery] = await take(source, 1);
      assert.equal(delivery!.frame.id, again.id);
      await delivery!.settle(NOTHING);
      accepted = 0;
    });

    test('a settlement that finds no room is tried until there is some, and made once', async () => {
      const big = 4000;
      await until(() => appender.writable, 'writable');
      const frame = fresh(big);
      await appender.commit(frame);
      const [delivery] = await take(source, 1);
      await fill(256);
      await until(() => appender.writable, 'writable');
      await fill(1);
      const positions = Array.from({ length: big - 1 }, (_, i) => i);
      const settling = delivery!.settle({
        refile: [{ positions, attempt: 2, notBeforeMs: 0 }],
        dead: [{ position: big - 1, reason: 'for the test' }],
      });
      await until(() => !source.reachable, 'a settlement that fails');
      assert.match(source.reason, /No space left/);
      assert.equal(log.length, 1);
      execFileSync('mount', ['-o', 'remount,size=32m', disk]);
      await settling;
      assert.equal(source.reachable, true);
      const [again] = await take(source, 1);
      assert.equal(again!.frame.refiled?.origin, frame.id);
      assert.equal(again!.frame.count, big - 1);
    });
  },
);
