import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { faults } from '../faults/catalogue.js';
import { pages, read } from './pages.js';

/** The words after `command`, up to the end of the code span that contains it, on each page. */
function argumentsOf(command: string): { page: string; words: string[] }[] {
  return pages.flatMap((page) =>
    Array.from(read(page).matchAll(new RegExp(`\\b${command} ([^\`\n|]+)\``, 'g')), ([, rest]) => ({
      page,
      words: rest!.trim().split(/[\s,]+/),
    })),
  );
}

describe('commands that the docs name as tests of their claims', () => {
  it('name faults that exist', () => {
    const found = argumentsOf('faults --only');
    assert.ok(found.length > 10);
    for (const { page, words } of found) {
      for (const word of words) {
        assert.ok(
          faults.some(({ name }) => name.startsWith(word)),
          `${page}: no fault ${word}`,
        );
      }
    }
  });

  it('name tests that exist', () => {
    const built = join(import.meta.dirname, '..');
    const files = readdirSync(built, { recursive: true })
      .map((name) => relative('.', String(name)))
      .filter((name) => name.endsWith('.test.js'));
    const found = argumentsOf('npm test --');
    assert.ok(found.length > 15);
    for (const { page, words } of found) {
      for (const word of words) {
        assert.ok(
          files.some((name) => name.includes(word)),
          `${page}: no test ${word}`,
        );
      }
    }
  });
});
