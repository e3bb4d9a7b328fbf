import assert from 'node:assert/strict';
import { it } from 'node:test';
import { benchValidate } from '../../bench/micro/validate.js';

it('the validation benchmark runs, and both sides give the right results', () => {
  const results = benchValidate({ bodies: 200, rounds: 3 });
  assert.equal(results[0].name, 'plain');
  for (const { forebayNs, parseAjvNs } of results) {
    assert.ok(forebayNs > 0);
    assert.ok(parseAjvNs > 0);
  }
});
