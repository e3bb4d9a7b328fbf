import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeFolder } from '../../drills/make-folder.js';
import { OperatorFault } from '../../src/model/fault.js';
import { temporaryFolder } from '../cli/check/run-check.js';

describe('the folder of a drill', () => {
  it('is created with those above it, and the uppermost new one is returned', (t) => {
    const folder = temporaryFolder(t);
    assert.equal(makeFolder('x', join(folder, 'a', 'b', 'c')), join(folder, 'a'));
    assert.ok(existsSync(join(folder, 'a', 'b', 'c')));
    assert.equal(makeFolder('x', join(folder, 'a', 'b')), null);
  });

  it('cannot be created: one line with the option and the folder', (t) => {
    const file = join(temporaryFolder(t), 'file');
    writeFileSync(file, '');
    for (const folder of [join(file, 'below'), '/proc/x/y']) {
      assert.throws(
        () => makeFolder('prove: --data', folder),
        (error: Error) => {
          assert.ok(error instanceof OperatorFault);
          assert.match(error.message, /^prove: --data \S+: E\w+: .*mkdir/);
          return true;
        },
      );
    }
  });
});
