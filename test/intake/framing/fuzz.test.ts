import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingServerBinary } from '../../../src/intake/uws/platform.mjs';
import { fuzzFraming } from './fuzz.js';

const REQUESTS = 1000;
const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 32);
const missing = await missingServerBinary();

describe('mutated requests', () => {
  for (const engine of ['uws', 'node']) {
    const skip = (engine === 'uws' && missing) || false;
    it(`${engine} keeps an order exactly once if it answers 200, and else not`, {
      skip,
    }, async (t) => {
      console.log(`FOREBAY_SEED=${seed}`);
      const { tally } = await fuzzFraming(t, engine, REQUESTS, seed);
      // Seeds give 100 to 143.
      assert.ok(tally.get('200')! > REQUESTS / 20, 'many are valid');
      assert.ok(tally.get('400')! > REQUESTS / 50, 'many are not');
    });
  }
});
