import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readRecord, recordHead } from '../../src/journal/frame/log-record.js';

it('a log record with any bit changed is rejected', () => {
  const generation = Buffer.from('12345678');
  const [header, payload] = [Buffer.from('{"v":1}\n'), Buffer.from('{"count":"1"}\n')];
  const row = { key: Buffer.from('key'), header, payload, isKeyed: true };
  const whole = Buffer.concat([recordHead(row, generation, 4096), payload]);
  const value = Buffer.concat([header, payload]);
  assert.deepEqual(readRecord(whole, generation, 4096)?.value, value);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const torn = Buffer.from(whole);
    torn[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readRecord(torn, generation, 4096), null, `bit ${bit}`);
  }
});
