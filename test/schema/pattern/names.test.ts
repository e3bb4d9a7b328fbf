import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openValidator } from '../../../src/schema/validator.js';

/** Letters, not assigned, for private use, and no character for ever; in planes that have characters and in others. */
const NAMES = [
  0x61, 0x416, 0x1f600, 0x378, 0x30000, 0x3fffe, 0x40000, 0x50123, 0xdffff, 0xe0001, 0xf0000,
  0x10fffd, 0x10ffff,
];
const PATTERNS = ['\\p{L}', '\\P{L}', '\\p{Cn}', '\\p{Co}', '[^\\p{Co}\\p{L}]', '\\P{ASCII}'];

it('a name that no character stands for still has the rules of patternProperties that match it', () => {
  for (const pattern of PATTERNS) {
    const schema = { type: 'object', patternProperties: { [`^${pattern}$`]: { type: 'number' } } };
    const validator = openValidator({ source: 'test', schema, dialect: '2020-12', digest: 'test' });
    for (const code of NAMES) {
      const name = String.fromCodePoint(code);
      const body = Uint8Array.from(Buffer.from(JSON.stringify({ [name]: 'text' })));
      const expected = !new RegExp(`^${pattern}$`, 'u').test(name);
      const where = `${pattern} on U+${code.toString(16)}`;
      assert.equal(validator.validate(body, 0, body.length), expected, where);
    }
  }
});
