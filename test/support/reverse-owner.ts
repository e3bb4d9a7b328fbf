import { after, type TestContext } from 'node:test';
import type { Owner } from './forebay.js';

/** Ends what the tests of a suite share, in reverse order, after the last of them. Call it in the body of `describe`. */
export function suiteOwner(): Owner {
  return ownerUntil((end) => after(end));
}

/**
 * Ends what a test uses in reverse order: a server before its folder is removed. `t.after` alone does it in the order of
 * the calls, and once an end fails, leaves out all that follow. A server that is left open keeps the test file from ending.
 */
export function testOwner(t: TestContext): Owner {
  return ownerUntil((end) => t.after(end));
}

function ownerUntil(afterAll: (end: () => Promise<void>) => void): Owner {
  const ends: (() => Promise<void>)[] = [];
  afterAll(async () => {
    const failures: unknown[] = [];
    for (const end of ends.reverse()) await end().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
  return { after: (end) => void ends.push(end) };
}
