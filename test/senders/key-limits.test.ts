import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WindowLimiter } from '../../src/limit/window.js';
import { KEY_LABELS_MAX } from '../../src/metrics/count.js';
import { ApiKeys } from '../../src/senders/api-keys.js';
import { KeyLimits } from '../../src/senders/key-limits.js';

const KEY = 'key';
const SHA256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683';
const lines = (rps: number, name = 'acme') => [{ name, sha256: SHA256, rps }];

/** Deterministic numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('the limits of keys', () => {
  it('hold in any second while they change, however late a thread learns of it', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = numbers(seed);
      const limits = [3, 1 + Math.floor(random() * 12), 1 + Math.floor(random() * 12)];
      let nowNs = 1e9;
      const keyLimits = new KeyLimits();
      let data = keyLimits.change(lines(limits[0]!)).now;
      const open = () =>
        new ApiKeys(data, (memory) => new WindowLimiter(memory, () => nowNs)).find(KEY)!.limit;
      const threads = [open(), open(), open()];
      const admittedNs: number[] = [];
      const run = (ms: number) => {
        for (let step = 0; step < ms / 5; step++) {
          nowNs += 5e6;
          const thread = threads[Math.floor(random() * threads.length)]!;
          if (random() < 0.7 && thread!.limiter.tryAdmit()) admittedNs.push(nowNs);
        }
      };
      run(2000);
      for (const rps of limits.slice(1)) {
        const change = keyLimits.change(lines(rps));
        for (const next of [change.now, change.afterWindow]) {
          if (next === null) continue;
          data = next;
          for (let i = 0; i < threads.length; i++) {
            run(random() * 300);
            threads[i] = open();
          }
          // As `SenderFiles` waits when all threads have answered.
          run(1000);
        }
        run(1500);
      }
      const most = Math.max(...limits);
      for (const [i, ns] of admittedNs.entries()) {
        const inWindow = admittedNs.slice(i).filter((other) => other < ns + 1e9).length;
        assert.ok(inWindow <= most, `${inWindow} of ${limits}, seed ${seed}`);
      }
      const last = admittedNs.filter((ns) => ns > nowNs - 1e9).length;
      assert.ok(last <= limits.at(-1)!, `${last} of ${limits}, seed ${seed}`);
    }
  });

  it('keep their window if only other lines change', () => {
    const keyLimits = new KeyLimits();
    const [before] = keyLimits.change(lines(5)).now.senders;
    const change = keyLimits.change([...lines(5), { name: 'b', sha256: 'b'.repeat(64), rps: 1 }]);
    assert.equal(change.afterWindow, null);
    assert.equal(change.now.senders[0]!.windows[0], before!.windows[0]);
  });

  it('of several keys with one name are one limit', () => {
    const both = [...lines(2), { name: 'acme', sha256: 'b'.repeat(64), rps: 2 }];
    const { senders, keys } = new KeyLimits().change(both).now;
    assert.equal(senders.length, 1);
    assert.deepEqual(
      keys.map(({ sender }) => sender),
      [0, 0],
    );
  });

  it('give the first names labels of their own, which they keep; the others share one', () => {
    const keyLimits = new KeyLimits();
    const named = (name: string, i: number) => ({
      name,
      sha256: i.toString(16).padStart(64, '0'),
      rps: 0,
    });
    const first = Array.from({ length: KEY_LABELS_MAX + 5 }, (_, i) => named(`n${i}`, i));
    const { senders } = keyLimits.change(first).now;
    assert.equal(new Set(senders.map(({ label }) => label)).size, KEY_LABELS_MAX + 1);
    assert.equal(keyLimits.labels.length, KEY_LABELS_MAX + 1);
    assert.equal(keyLimits.labels[senders[3]!.label], 'n3');
    assert.equal(keyLimits.labels[senders.at(-1)!.label], 'other');
    const later = keyLimits.change([named('n3', 3), named('new', 9)]).now.senders;
    assert.equal(later[0]!.label, senders[3]!.label);
    assert.equal(keyLimits.labels[later[1]!.label], 'other');
  });
});
