import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from '../../src/options/suggest.js';

test('an edit is an insertion, a deletion, a substitution or a swap of neighbours', () => {
  assert.equal(editDistance('port', 'port'), 0);
  assert.equal(editDistance('port', 'ports'), 1);
  assert.equal(editDistance('port', 'prt'), 1);
  assert.equal(editDistance('port', 'post'), 1);
  assert.equal(editDistance('port', 'prot'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('the closest name has the fewest edits; of several, the first', () => {
  assert.equal(nearest('worker', ['work-ms', 'workers', 'threads']), 'workers');
  assert.equal(nearest('x', ['a', 'b']), 'a');
});
