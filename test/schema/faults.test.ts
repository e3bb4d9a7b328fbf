import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderSchema } from '../../src/model/order.js';
import { FAULT, faultTexts, VALID } from '../../src/schema/faults.js';

describe('fault texts', () => {
  it('are unique, one per code, and valid in a header', () => {
    assert.deepEqual(
      Object.values(FAULT),
      faultTexts.slice(1).map((_, i) => i + 1),
    );
    assert.equal(faultTexts[VALID], '');
    assert.equal(new Set(faultTexts).size, faultTexts.length);
    for (const text of faultTexts) assert.match(text, /^[\x21-\x7e ]*$/);
  });

  it('name every rule of the schema', () => {
    const expected = ['/ type', '/ additionalProperties'];
    for (const name of orderSchema.required) expected.push(`/ required ${name}`);
    for (const [name, rules] of Object.entries(orderSchema.properties)) {
      for (const keyword of Object.keys(rules)) expected.push(`/${name} ${keyword}`);
    }
    const beforeSchema = ['', '/ utf8', '/ json', '/ depth', '/ duplicate'];
    assert.deepEqual([...faultTexts].sort(), [...beforeSchema, ...expected].sort());
  });
});
