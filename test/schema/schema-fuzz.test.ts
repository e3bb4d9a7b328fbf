import assert from 'node:assert/strict';
import { it } from 'node:test';
import { emptyTally, fuzzSchema } from './schema-fuzz.js';

const SCHEMAS = 120;
const BODIES = 150;

it('validators of random schemas, the judge and ajv agree on random bodies', () => {
  const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
  console.log(`FOREBAY_SEED=${seed}`);
  const tally = emptyTally();
  for (let index = 0; index < SCHEMAS; index++) fuzzSchema(seed, index, BODIES, tally);
  assert.equal(tally.bodies, SCHEMAS * BODIES);
  const { valid, validAsked, doubleChecked, faults } = tally;
  const seen = [...faults.keys()].join(', ');
  // The generator makes bodies of all kinds, and the scanner decides about most of the valid ones.
  assert.ok(valid > tally.bodies / 6, `${valid} valid`);
  assert.ok(validAsked < (valid * 2) / 3, `asked about ${validAsked} of ${valid}`);
  assert.ok(doubleChecked > 1000, `${doubleChecked} judged twice`);
  for (const fault of ['utf8', 'json', 'duplicate', 'type', 'required']) {
    assert.ok(faults.has(fault), `${fault} is missing: ${seen}`);
  }
});
