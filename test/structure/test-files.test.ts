import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('../../../test/', import.meta.url));
const FILES = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

/** What a file refers to when it needs a program that is not nats-server. */
const NEEDS = [
  /'[./]*support\/(browser|postgres)\.js'/,
  /\btoolPath\(/,
  /\bwrkProgram\(/,
  /\bvalgrindProgram\(/,
  /\bNativeStack\b|\bWatchedShop\b|\bNativeImage\b|\bLivePage\b/,
];

function text(name: string): string {
  return readFileSync(join(TESTS, name), 'utf8');
}

describe('what `npm test` runs', () => {
  const ordinary = FILES.filter(
    (name) => /\.test\.ts$/.test(name) && !name.endsWith('.all.test.ts'),
  );

  it('needs no program but nats-server: other files are named .all.test.ts, or skip the case', () => {
    const needy = ordinary.filter((name) => {
      const source = text(name);
      return NEEDS.some((need) => need.test(source)) && !source.includes('RUNS_ALL');
    });
    assert.deepEqual(needy, []);
  });

  it('names the second version of nats-server nowhere', () => {
    const named = ordinary.filter((name) => /^[^/\n]*'nats-server-2\.9'/m.test(text(name)));
    assert.deepEqual(named, []);
  });

  it('has no time limit of its own: scripts/test.mjs ends a file that hangs', () => {
    const limited = FILES.filter((name) =>
      /\bdescribe\([^\n]*\btimeout:|\bit\([^\n]*\btimeout:/.test(text(name)),
    ).filter((name) => name.endsWith('.test.ts'));
    assert.deepEqual(limited, []);
  });
});
