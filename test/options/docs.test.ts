import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { optionsDoc, serveHelp } from '../../src/options/help.js';
import { schema } from '../../src/options/schema.js';
import { type AnySpec, defaultText, environmentName, flagName } from '../../src/options/spec.js';

const root = join(import.meta.dirname, '..', '..', '..');

test('docs/reference/options.md is what the schema generates', () => {
  const committed = readFileSync(join(root, 'docs', 'reference', 'options.md'), 'utf8');
  assert.equal(committed, optionsDoc(), 'run node scripts/options-doc.mjs');
});

test('docs/reference/options.md names every flag and variable', () => {
  const doc = optionsDoc();
  for (const flag of Object.keys(schema).map(flagName)) {
    assert.ok(doc.includes(`| \`--${flag}\` | \`${environmentName(flag)}\` |`), flag);
  }
});

test('help lists every option with description and default, within 100 columns', () => {
  const help = serveHelp();
  const words = help.replace(/\s+/g, ' ');
  for (const [key, spec] of Object.entries(schema) as [string, AnySpec][]) {
    assert.match(help, new RegExp(`^  --${flagName(key)} `, 'm'));
    assert.ok(words.includes(spec.help), key);
    assert.ok(words.includes(`default ${defaultText(spec)})`), key);
  }
  for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
});

test('every option is read somewhere in the code', () => {
  const source = [...sourcesUnder('src'), ...sourcesUnder('workers')].join('\n');
  const unread = Object.keys(schema).filter((key) => {
    const member = new RegExp(`\\b(?:options|bounds)\\.${key}\\b`);
    const taken = new RegExp(
      `\\{[^{}]*\\b${key}\\b[^{}]*\\} = (?:\\w+\\.#?)?(?:options|bounds)\\b`,
    );
    return !member.test(source) && !taken.test(source);
  });
  assert.deepEqual(unread, []);
});

/** The text of all sources except src/options. */
function sourcesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^options[/\\]/.test(file))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'));
}
