import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { OperatorFault } from '../../src/model/fault.js';
import { CommitRefused } from '../../src/model/journal.js';
import { fresh, NOTHING, newFrameId, take, until } from './frames.js';

const isRoot = process.getuid?.() === 0;

describe('local: an unusable data folder gives one line with the remedy', () => {
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

  test('a file with that name', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assertFault(file);
    assertFault(join(file, 'below'));
  });

  test('a folder without write permission', { skip: isRoot && 'root may write anywhere' }, () => {
    const locked = mkdtempSync(join(folder, 'locked-'));
    chmodSync(locked, 0o500);
    assertFault(locked);
  });

  test('a file system that takes no folders', () => assertFault('/proc/forebay'));

  test('a journal file of another program', () => {
    const broken = mkdtempSync(join(folder, 'broken-'));
    writeFileSync(join(broken, 'journal.lmdb'), 'not a journal'.repeat(1000));
    assertFault(broken);
  });
});

/**
 * Below 32 MiB of free space no frames are taken, below 16 MiB nothing is written: that leaves 16 MiB to
 * fill.
 */
const DISK = 'size=48m';

describe('local: on a full disk', {
  skip: !isRoot && 'mounting a small file system needs root',
}, () => {
  const log: string[] = [];
  let disk: string;
  let accepted = 0;
  let appender: LocalAppender;
  let source: LocalSource;

  before(() => {
    disk = mkdtempSync(join(tmpdir(), 'forebay-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', DISK, 'none', disk]);
    appender = new LocalAppender(new LocalStore(disk));
    source = new LocalSource(new LocalStore(disk), {
      newFrameId,
      acceptedOrders: () => accepted,
      retryMsMax: 60_000,
      log: (_event, line) => log.push(line),
    });
  });

  after(async () => {
    await appender.close();
    await source.close();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });

  /** Commits, eight at a time, until all are refused; resolves with the last refusal. */
  async function fill(): Promise<unknown> {
    let refusal: unknown;
    const lane = async () => {
      for (;;) {
        try {
          await appender.commit(fresh(64));
          accepted += 64;
        } catch (error) {
          refusal = error;
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    return refusal;
  }

  test('a commit is refused with one line, and accepted orders are processed', async () => {
    const refusal = await fill();
    assert.ok(refusal instanceof CommitRefused);
    assert.match(refusal.message, /disk full: \d+ MiB free, 32 needed$/);
    assert.ok(refusal.message.includes(disk));
    assert.equal(appender.writable, false);
    assert.equal(appender.reason, refusal.message);
    const frames = accepted / 64;
    const taken = await take(source, frames);
    assert.equal(taken.length, frames);
    await Promise.all(taken.map((delivery) => delivery.settle(NOTHING)));
    assert.equal(source.pendingOrders(), 0);
  });

  test('when other files fill the disk, a settlement waits for space and is made once', async () => {
    const other = join(disk, 'other');
    execFileSync('mount', ['-o', 'remount,size=96m', disk]);
    await until(() => appender.writable, 'writable again');
    const frame = fresh(3);
    await appender.commit(frame);
    const [delivery] = await take(source, 1);
    assert.equal(delivery!.frame.id, frame.id);
    writeFileSync(other, Buffer.alloc(72 * 1024 ** 2));
    await until(() => !appender.writable, 'not writable');
    const settling = delivery!.settle({
      refile: [{ positions: [0, 1], attempt: 2, notBeforeMs: 0 }],
      dead: [{ position: 2, reason: 'for the test' }],
    });
    await until(() => !source.reachable, 'a settlement that fails');
    assert.match(source.reason, /disk full/);
    assert.equal(log.length, 1);
    rmSync(other);
    await settling;
    assert.equal(source.reachable, true);
    await until(() => appender.writable, 'writable again');
    const [again] = await take(source, 1);
    assert.equal(again!.frame.refiled?.origin, frame.id);
    assert.equal(again!.frame.count, 2);
    await again!.settle(NOTHING);
  });

  test('it does not start, and reports that in one line', async () => {
    const other = join(disk, 'other');
    writeFileSync(other, Buffer.alloc(72 * 1024 ** 2));
    await until(() => !appender.writable, 'not writable');
    assert.throws(() => new LocalStore(join(disk, 'second')), /disk full.*--data/);
    rmSync(other);
  });
});
