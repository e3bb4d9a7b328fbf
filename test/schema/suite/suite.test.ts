import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Contract } from '../../../src/schema/contract.js';
import { loadContract } from '../../../src/schema/load-contract.js';
import { openValidator } from '../../../src/schema/validator.js';
import { REFUSED, WRONG } from './exceptions.js';
import { type Draft, type Group, readSuite } from './suite.js';

const DRAFTS: readonly Draft[] = ['draft2020-12', 'draft7'];
const SCHEMA_OF: Readonly<Record<Draft, string>> = {
  'draft2020-12': 'https://json-schema.org/draft/2020-12/schema',
  draft7: 'http://json-schema.org/draft-07/schema#',
};

const folder = mkdtempSync(join(tmpdir(), 'forebay-suite-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'schema.json');

/** The contract of a group, or the message that refuses it. */
function load({ schema }: Group, draft: Draft): Contract | string {
  // The cases of draft-07 leave out `$schema`.
  const isPlain = typeof schema === 'object' && schema !== null && !('$schema' in schema);
  const whole = isPlain ? { $schema: SCHEMA_OF[draft], ...schema } : schema;
  writeFileSync(file, JSON.stringify(whole));
  try {
    return loadContract(file);
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the official test suite of JSON Schema', () => {
  const refused = new Map<string, string>();
  const wrong: string[] = [];
  let right = 0;

  for (const draft of DRAFTS) {
    it(`${draft}: every verdict is right, except for those that are listed`, () => {
      for (const group of readSuite(draft)) {
        const name = `${draft} ${group.file}: ${group.description}`;
        const contract = load(group, draft);
        if (typeof contract === 'string') {
          refused.set(name, contract);
          continue;
        }
        const validator = openValidator(contract);
        for (const { description, data, valid } of group.tests) {
          const body = new TextEncoder().encode(JSON.stringify(data));
          if (validator.validate(body, 0, body.length) === valid) right++;
          else wrong.push(`${name} / ${description}`);
        }
      }
      const ofDraft = (names: readonly string[]) => names.filter((name) => name.startsWith(draft));
      assert.deepEqual(ofDraft(wrong).sort(), ofDraft(Object.values(WRONG).flat()).sort());
      const listed = Object.values(REFUSED).flat();
      assert.deepEqual(ofDraft([...refused.keys()]).sort(), ofDraft(listed).sort());
    });
  }

  it('refuses schemas for the reason that is listed', () => {
    for (const [reason, names] of Object.entries(REFUSED)) {
      for (const name of names) assert.ok(refused.get(name)!.includes(reason), refused.get(name));
    }
  });

  it('has thousands of cases', () => {
    assert.ok(right > 2800, String(right));
  });
});
