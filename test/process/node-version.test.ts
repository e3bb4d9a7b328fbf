import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { unsupportedNode } from '../../src/process/node-version.js';
import { ROOT } from '../monitoring/rule-files.js';

describe('the version of Node', () => {
  it('is refused where Forebay cannot be loaded, and accepted elsewhere', () => {
    for (const old of [
      '12.22.12',
      '18.20.8',
      '19.9.0',
      '20.0.0',
      '20.14.0',
      '21.7.3',
      '22.0.0',
      '22.1.0',
    ]) {
      assert.match(
        unsupportedNode(old)!,
        new RegExp(`^Node ${old} is not supported: install Node 22`),
      );
    }
    for (const good of ['20.15.0', '20.20.2', '22.2.0', '22.23.3', '23.0.0', '24.1.0', '26.0.0']) {
      assert.equal(unsupportedNode(good), null, good);
    }
  });

  it('package.json names the same versions', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(engines.node, '^20.15 || >=22.2');
  });

  it('is checked by files that import nothing an old Node lacks', () => {
    const seen = new Set<string>();
    const visit = (path: string) => {
      if (seen.has(path)) return;
      seen.add(path);
      const text = readFileSync(join(ROOT, path), 'utf8');
      // Imports of types are gone after the build, and `await import` comes after the check.
      for (const [, from] of text.matchAll(/^import (?!type )[^;]*? from '([^']+)';$/gms)) {
        if (from!.startsWith('node:')) assert.equal(from, 'node:fs', path);
        else visit(join(path, '..', from!).replace(/\.js$/, '.ts'));
      }
    };
    visit('src/main.ts');
    assert.deepEqual([...seen].sort(), [
      'src/main.ts',
      'src/model/stop-signals.ts',
      'src/process/node-version.ts',
      'src/process/open-files.ts',
      'src/process/signals.ts',
    ]);
  });
});
