import { after } from 'node:test';
import type { Owner } from './forebay.js';

/** Ends what the tests of a suite share, in reverse order, after the last of them. Call it in the body of `describe`. */
export function suiteOwner(): Owner {
  const ends: (() => Promise<void>)[] = [];
  after(async () => {
    const failures: unknown[] = [];
    for (const end of ends.reverse()) await end().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
  return { after: (end) => void ends.push(end) };
}
