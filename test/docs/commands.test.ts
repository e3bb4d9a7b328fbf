import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { faults } from '../faults/catalogue.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(ROOT, 'docs', name), 'utf8') }));

/** What stands behind `command` up to the end of the code it stands in, on each page. */
function argumentsOf(command: string): { page: string; words: string[] }[] {
  return pages.flatMap(({ name, text }) =>
    Array.from(text.matchAll(new RegExp(`\\b${command} ([^\`\n|]+)\``, 'g')), ([, rest]) => ({
      page: name,
      words: rest!.trim().split(/[\s,]+/),
    })),
  );
}

describe('the commands that the docs name for their claims', () => {
  it('name faults that there are', () => {
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

  it('name tests that there are', () => {
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
