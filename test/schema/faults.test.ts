import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderSchema } from '../../src/model/order.js';
import { orderFaults } from './order-faults.js';

describe('fault texts', () => {
  it('name every rule of the built-in order, each once', () => {
    const expected = ['/ type', '/ additionalProperties'];
    for (const name of orderSchema.required) expected.push(`/ required ${name}`);
    for (const [name, rules] of Object.entries(orderSchema.properties)) {
      for (const keyword of Object.keys(rules)) expected.push(`/${name} ${keyword}`);
    }
    const beforeSchema = ['/ utf8', '/ json', '/ depth', '/ duplicate'];
    assert.deepEqual([...orderFaults].sort(), [...beforeSchema, ...expected].sort());
  });
});
