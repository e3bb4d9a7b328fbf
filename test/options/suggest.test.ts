import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest, suggestion } from '../../src/options/suggest.js';

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

test('only a name that is close is suggested: at most a third of its letters differ', () => {
  const hint = (typed: string) =>
    suggestion(typed, ['port', 'drain-rate', 'story'], (name) => `--${name}`);
  assert.equal(hint('prot'), 'did you mean --port?');
  assert.equal(hint('drainrate'), 'did you mean --drain-rate?');
  assert.equal(hint('frobnicate'), 'see --help');
  assert.equal(hint('extra'), 'see --help');
});
