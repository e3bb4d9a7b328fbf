import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bodies } from '../../k6/lib/body.js';
import { loadContract } from '../../src/schema/load-contract.js';
import { openValidator } from '../../src/schema/validator.js';
import { codeBlocks, ROOT } from './pages.js';

const FOLDER = join(ROOT, 'examples', 'contract');
const blocks = codeBlocks('docs/guides/your-own-contract.md');

describe('the guide about contracts', () => {
  it('shows the schema of the example', () => {
    const shown = blocks.find(({ language }) => language === 'json')!.text;
    assert.equal(shown.trim(), readFileSync(join(FOLDER, 'cart.schema.json'), 'utf8').trim());
  });

  it('shows bodies that are valid, and so is the example', () => {
    const sent = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => Array.from(text.matchAll(/-d '([^']*)'/g), ([, body]) => body!));
    assert.ok(sent.length > 0);
    const validator = openValidator(loadContract(join(FOLDER, 'cart.schema.json')));
    const example = bodies(readFileSync(join(FOLDER, 'cart.json'), 'utf8'))(1);
    for (const body of [...sent, example]) {
      const bytes = new TextEncoder().encode(body);
      assert.ok(validator.validate(bytes, 0, bytes.length), `${body}: ${validator.fault}`);
    }
  });
});
