import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '../../../drills/ledger/verdict.js';
import { type DiskFigures, diskChecks } from '../../../drills/prove/disk.js';
import { parseProveOptions } from '../../../drills/prove/options.js';
import { orderChecks } from '../../../drills/prove/run.js';
import { ownStream } from '../../../drills/prove/server-options.js';
import { jetStreamNames } from '../../../src/journal/nats/names.js';
import { OperatorFault } from '../../../src/model/fault.js';

const GOOD: Verdict = {
  offered: 10,
  accepted: 9,
  unsent: 0,
  others: { broken: 1 },
  processed: 9,
  lost: 0,
  doubled: 0,
  repeated: 2,
  refusedButProcessed: 0,
  altered: 0,
  alien: 0,
  perOrder: '',
};

const DISK: DiskFigures = {
  fileSystem: 'ext4',
  device: '/dev/sda1',
  mountOptions: 'rw,relatime,rw',
  writeCache: 'write through',
  flushMs: { p50: 0.4, p99: 2, max: 3 },
};

function failed(checks: readonly { readonly ok: boolean; readonly text: string }[]): string[] {
  return checks.filter(({ ok }) => !ok).map(({ text }) => text);
}

function refusal(args: readonly string[]): string {
  try {
    parseProveOptions(args, {});
  } catch (error) {
    assert.ok(error instanceof OperatorFault);
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return '';
}

describe('the checks of forebay prove', () => {
  it('allow orders without an answer, and orders that were in the handler at a kill', () => {
    assert.deepEqual(failed(orderChecks(GOOD, 3, '')), []);
  });

  for (const [name, count] of [
    ['lost', 'lost: answered 200, and not processed: 1'],
    ['doubled', 'doubled: processed more than once by processes that were not killed: 1'],
    ['altered', 'altered: processed with other content, or under another id: 1'],
    ['alien', 'processed, and never sent: 1'],
    ['refusedButProcessed', 'refused, and processed all the same: 1'],
  ] as const) {
    it(`fail if an order is ${name}`, () => {
      assert.ok(failed(orderChecks({ ...GOOD, [name]: 1 }, 3, '')).includes(count));
    });
  }

  it('fail if nothing was accepted, or the last server did not end in order', () => {
    assert.equal(failed(orderChecks({ ...GOOD, accepted: 0 }, 3, '')).length, 2);
    assert.deepEqual(failed(orderChecks(GOOD, 3, 'ended with code 1')), ['ended with code 1']);
  });

  it('find a disk that cannot keep what it flushes', () => {
    assert.deepEqual(failed(diskChecks(DISK, {})), []);
    const wrong: [Partial<DiskFigures>, RegExp][] = [
      [{ fileSystem: 'tmpfs' }, /power cut/],
      [{ fileSystem: 'nfs4' }, /not a local file system/],
      [{ mountOptions: 'rw,nobarrier' }, /nobarrier gives up safety/],
      [{ mountOptions: 'rw,data=writeback' }, /data=writeback gives up safety/],
      [{ flushMs: { p50: 0.004, p99: 0.01, max: 1 } }, /too fast/],
    ];
    for (const [change, text] of wrong) {
      const texts = failed(diskChecks({ ...DISK, ...change }, {}));
      assert.equal(texts.length, 1);
      assert.match(texts[0]!, text);
    }
    const preload = { LD_PRELOAD: '/usr/lib/libeatmydata.so' };
    assert.equal(failed(diskChecks(DISK, preload)).length, 1);
    const cached = diskChecks({ ...DISK, writeCache: 'write back' }, {});
    assert.ok(cached.some(({ isWarning, text }) => isWarning && text.includes('has a cache')));
  });
});

describe('the options of forebay prove', () => {
  it('are its own and those of serve', () => {
    const args = ['--rounds=3', '--drain-rate', '60', '--rate', '20', '--threads', '1'];
    const { rounds, rate, server, given } = parseProveOptions(args, { FOREBAY_WORKERS: '2' });
    assert.deepEqual([rounds, rate, server.drainRate, server.workers], [3, 20, 60, 2]);
    assert.deepEqual([...given].sort(), ['drainRate', 'threads', 'workers']);
  });

  it('are refused with one line that names the option', () => {
    assert.match(refusal(['--rounds', '0']), /--rounds 0: must be a whole number from 1/);
    assert.match(refusal(['--drain-rat', '5']), /drain-rat/);
    assert.match(refusal(['--mode', 'direct']), /--mode direct keeps no orders/);
    assert.match(refusal(['--rounds', '1000', '--rate', '20000']), /must be at most/);
  });

  it('give it a stream whose names and subjects are those of no other', () => {
    const { server } = parseProveOptions(['--nats-stream', 'A'.repeat(64)], {});
    const own = ownStream(server);
    assert.match(own, /^[A-Za-z0-9_-]{1,64}$/);
    const theirs = Object.values(jetStreamNames(server.natsStream)).filter(String);
    const ours = Object.values(jetStreamNames(own));
    assert.deepEqual(
      ours.filter((name) => typeof name === 'string' && theirs.includes(name)),
      [],
    );
  });
});
