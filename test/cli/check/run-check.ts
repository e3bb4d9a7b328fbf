import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Finding } from '../../../src/cli/check/finding.js';
import { runForebay } from '../../support/forebay.js';

interface CheckReport {
  readonly code: number | null;
  readonly findings: readonly Finding[];
  /** The only finding about it. @throws AssertionError there is none, or several */
  readonly about: (what: string) => Finding;
  readonly stdout: string;
}

/** Runs `forebay check --json` on free ports, unless the flags say otherwise. */
export async function runCheck(...flags: string[]): Promise<CheckReport> {
  const ports = flags.some((flag) => /^--(admin-)?port$/.test(flag))
    ? []
    : ['--port', '0', '--admin-port', '0'];
  const args = ['check', '--json', '--host', '127.0.0.1', ...ports, ...flags];
  const { code, stdout, stderr } = await runForebay(args);
  assert.equal(stderr, '');
  const report = JSON.parse(stdout) as { exitCode: number; findings: Finding[] };
  assert.equal(report.exitCode, code);
  return {
    code,
    findings: report.findings,
    stdout,
    about: (what) => {
      const found = report.findings.filter(({ about }) => about === what);
      assert.equal(found.length, 1, `${found.length} findings about ${what}:\n${stdout}`);
      return found[0]!;
    },
  };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-check-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Names, sizes and hashes of all files in a folder; without the hash of the lock file of LMDB. */
export function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = lstatSync(join(folder, name));
      const isRead = file.isFile() && !name.endsWith('-lock');
      const hash = isRead
        ? createHash('sha256')
            .update(readFileSync(join(folder, name)))
            .digest('hex')
        : '';
      return `${name} ${file.size} ${hash}`;
    });
}
