import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readRecord, recordHead } from '../../src/journal/frame/log-record.js';

it('a log record with any bit changed is rejected', () => {
  const generation = Buffer.from('12345678');
  const row = { key: Buffer.from('key'), value: Buffer.from('{"count":"1"}\n'), isKeyed: true };
  const whole = Buffer.concat([recordHead(row, generation, 4096), row.value]);
  assert.deepEqual(readRecord(whole, generation, 4096)?.value, row.value);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const torn = Buffer.from(whole);
    torn[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readRecord(torn, generation, 4096), null, `bit ${bit}`);
  }
});
