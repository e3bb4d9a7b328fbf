import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAULT, VALID } from '../../src/schema/faults.js';
import { OrderValidator } from '../../src/schema/validator.js';

const PLAIN = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const ESCAPED = '{"product_id":"33","count":"3","username":"m\\u0061x"}';

function validate(validator: OrderValidator, body: string): number {
  const bytes = new TextEncoder().encode(body);
  return validator.validate(bytes, 0, bytes.length);
}

describe('OrderValidator', () => {
  it('writes orders of both paths one after another, into any buffer', () => {
    const validator = new OrderValidator();
    const buffers = [Buffer.alloc(300), new Uint8Array(400).subarray(50, 350)];
    const offsets = [0, 0];
    for (let i = 0; i < 4; i++) {
      for (const which of [0, 1]) {
        assert.equal(validate(validator, i % 2 === 0 ? PLAIN : ESCAPED), VALID);
        offsets[which] = validator.writeTo(buffers[which], offsets[which]);
      }
    }
    const max = PLAIN.replace('maksim.konovalov', 'max');
    for (const which of [0, 1]) {
      const written = buffers[which].subarray(0, offsets[which]);
      assert.equal(new TextDecoder().decode(written), `${PLAIN}\n${max}\n`.repeat(2));
    }
  });

  it('fills a buffer to its last byte, and writes nothing if a byte is missing', () => {
    const validator = new OrderValidator();
    for (const body of [PLAIN, ESCAPED]) {
      assert.equal(validate(validator, body), VALID);
      const size = validator.compactLength;
      assert.equal(validator.writeTo(Buffer.alloc(size), 0), size);
      const tight = Buffer.alloc(size - 1);
      assert.throws(() => validator.writeTo(tight, 0), RangeError);
      assert.ok(tight.equals(Buffer.alloc(size - 1)));
    }
  });

  it('has no order to write after a fault', () => {
    const validator = new OrderValidator();
    const target = Buffer.alloc(200);
    for (const [valid, invalid] of [
      [PLAIN, PLAIN.replace('"3"', '"101"')],
      [ESCAPED, ESCAPED.replace('"3"', '"101"')],
    ]) {
      assert.equal(validate(validator, valid), VALID);
      assert.equal(validate(validator, invalid), FAULT.countPattern);
      assert.equal(validator.compactLength, 0);
      assert.throws(() => validator.writeTo(target, 0), RangeError);
    }
  });

  it('handles 200,000 levels of nesting without a stack overflow', () => {
    const validator = new OrderValidator();
    const levels = 200_000;
    const array = '['.repeat(levels) + ']'.repeat(levels);
    const object = `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`;
    assert.equal(validate(validator, array), FAULT.type);
    assert.equal(validate(validator, object), FAULT.requiredProductId);
    assert.equal(validate(validator, PLAIN.replace('"3"', array)), FAULT.countType);
    assert.equal(validate(validator, '['.repeat(levels)), FAULT.json);
    assert.equal(validate(validator, '{"a":'.repeat(levels)), FAULT.json);
  });
});
