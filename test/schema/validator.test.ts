import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodyValidator } from '../../src/model/stages.js';
import { type Contract, orderContract } from '../../src/schema/contract.js';
import { openValidator } from '../../src/schema/validator.js';

const PLAIN = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const ESCAPED = '{"product_id":"33","count":"3","username":"m\\u0061x"}';

/** The fault of a body; empty if it is valid. */
function validate(validator: BodyValidator, body: string): string {
  const bytes = new TextEncoder().encode(body);
  return validator.validate(bytes, 0, bytes.length) ? '' : validator.fault;
}

describe('the validator', () => {
  it('takes an enum that lists a value twice, as JSON Schema 2020-12 allows', () => {
    const code = { enum: ['a', 'a', 'b', 1, 1, null] };
    const names = { enum: ['code', 'code', 'x'] };
    const schema = { type: 'object', properties: { code }, propertyNames: names };
    const contract: Contract = { ...orderContract, schema };
    const validator = openValidator(contract);
    for (const valid of ['{"code":"a"}', '{"code":1,"x":2}', '{"code":null}']) {
      assert.equal(validate(validator, valid), '', valid);
    }
    assert.equal(validate(validator, '{"code":"c"}'), '/code enum');
    assert.equal(validate(validator, '{"cod":"a"}'), '/ enum');
  });

  it('writes orders of both paths one after another, into any buffer', () => {
    const validator = openValidator(orderContract);
    const buffers = [Buffer.alloc(300), new Uint8Array(400).subarray(50, 350)];
    const offsets = [0, 0];
    for (let i = 0; i < 4; i++) {
      for (const which of [0, 1]) {
        assert.equal(validate(validator, i % 2 === 0 ? PLAIN : ESCAPED), '');
        offsets[which] = validator.writeTo(buffers[which], offsets[which]);
      }
    }
    for (const which of [0, 1]) {
      const written = buffers[which].subarray(0, offsets[which]);
      assert.equal(new TextDecoder().decode(written), `${PLAIN}\n${ESCAPED}\n`.repeat(2));
    }
  });

  it('fills a buffer to its last byte, and writes nothing if a byte is missing', () => {
    const validator = openValidator(orderContract);
    for (const body of [PLAIN, ESCAPED]) {
      assert.equal(validate(validator, body), '');
      const size = validator.compactLength;
      assert.equal(validator.writeTo(Buffer.alloc(size), 0), size);
      const tight = Buffer.alloc(size - 1);
      assert.throws(() => validator.writeTo(tight, 0), RangeError);
      assert.ok(tight.equals(Buffer.alloc(size - 1)));
    }
  });

  it('has no order to write after a fault', () => {
    const validator = openValidator(orderContract);
    const target = Buffer.alloc(200);
    for (const [valid, invalid] of [
      [PLAIN, PLAIN.replace('"3"', '"101"')],
      [ESCAPED, ESCAPED.replace('"3"', '"101"')],
    ]) {
      assert.equal(validate(validator, valid), '');
      assert.equal(validate(validator, invalid), '/count pattern');
      assert.equal(validator.compactLength, 0);
      assert.throws(() => validator.writeTo(target, 0), RangeError);
    }
  });

  it('handles 200,000 levels of nesting without a stack overflow', () => {
    const validator = openValidator(orderContract);
    const levels = 200_000;
    const array = '['.repeat(levels) + ']'.repeat(levels);
    const object = `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`;
    assert.equal(validate(validator, array), '/ depth');
    assert.equal(validate(validator, object), '/ depth');
    assert.equal(validate(validator, PLAIN.replace('"3"', array)), '/ depth');
    assert.equal(validate(validator, '['.repeat(levels)), '/ json');
    assert.equal(validate(validator, '{"a":'.repeat(levels)), '/ json');
  });
});
