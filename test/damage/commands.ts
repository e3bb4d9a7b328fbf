import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Ended, runForebay, startForebay } from '../support/forebay.js';

/** What a start led to: the line of its end, or empty when it was ready and stopped in order. */
export async function serveOn(folder: string): Promise<string> {
  try {
    const forebay = await startForebay([], { data: folder });
    assert.equal(await forebay.stop(), 0, forebay.stderr);
    return '';
  } catch (error) {
    const [first = '', line = '', ...rest] = (error as Error).message.trimEnd().split('\n');
    assert.match(first, /^forebay ended with code 1 before it was ready:$/, String(error));
    assert.deepEqual(rest, [], String(error));
    assert.match(line, /^forebay: /);
    return line;
  }
}

/** Both read; the second writes. */
const DLQ = [['list'], ['replay', '--all']];

/**
 * Runs the commands on a folder, and asserts of each that no signal ends it, that it prints no stack trace, and that
 * what it refuses takes one line.
 * @returns the line with which `serve` refuses the folder; empty when it serves it
 */
export async function runAll(folder: string): Promise<string> {
  const check = await runForebay(['check', '--data', folder, '--port', '0', '--admin-port', '0']);
  assert.ok(check.code === 0 || check.code === 1, shown(check));
  assert.equal(check.stderr, '', shown(check));
  const checkFails = /^fail {2}data folder/m.test(check.stdout);
  for (const args of DLQ) assertLines(await runForebay(['dlq', ...args, '--data', folder]));
  const line = await serveOn(folder);
  assert.equal(checkFails, line !== '', `check:\n${check.stdout}\nserve: ${line}`);
  return line;
}

function assertLines(end: Ended): void {
  assert.ok(end.code === 0 || end.code === 1, shown(end));
  assert.doesNotMatch(end.stderr, /^\s+at /m, shown(end));
}

export function shown({ code, signal, stdout, stderr }: Ended): string {
  return `code ${code}, signal ${signal}\n${stdout}${stderr}`;
}

export function journalOf(folder: string): string {
  return join(folder, 'journal.lmdb');
}
