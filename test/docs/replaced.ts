import assert from 'node:assert/strict';

/**
 * Replaces each `from` by its `to`, all at once: a port that was put in may begin with one that is to be replaced.
 *
 * @throws AssertionError if the text lacks one of `needed`, so that no replacement is in vain
 */
export function replaced(
  text: string,
  replacements: readonly (readonly [from: string, to: string])[],
  needed = replacements.map(([from]) => from),
): string {
  for (const from of needed) assert.ok(text.includes(from), `no ${from} in the example`);
  const places = replacements.map(([from]) => from.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  const values = new Map(replacements);
  return text.replace(new RegExp(places.join('|'), 'g'), (from) => values.get(from)!);
}
