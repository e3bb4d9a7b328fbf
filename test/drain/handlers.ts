import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../support/forebay.js';

/** One order in one call of the handler. */
export interface LedgerLine {
  readonly id: string;
  readonly attempt: number;
  readonly username: string;
  /** Milliseconds on the machine's monotonic clock. */
  readonly atMs: number;
  /** Orders in that call. */
  readonly batch: number;
}

export interface LedgerHandler {
  /** For `--handler`. */
  readonly file: string;
  readonly lines: () => Promise<LedgerLine[]>;
  /** Lets calls end that wait by `UNTIL_GO`. */
  readonly go: () => Promise<void>;
  /** Forgets all lines. */
  readonly clear: () => Promise<void>;
}

/** A body that waits until the test calls `go`. */
export const UNTIL_GO = `const { existsSync } = await import('node:fs');
  while (!existsSync(new URL('go', import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 20));`;

/**
 * Writes a handler file that appends one line per order to a ledger, synchronously, and then runs
 * `body`: JavaScript that sees `orders` and may return outcomes or throw. `atLoad` runs once per thread.
 */
export async function ledgerHandler(owner: Owner, body = '', atLoad = ''): Promise<LedgerHandler> {
  const folder = await mkdtemp(join(tmpdir(), 'forebay-handler-'));
  const remove = { recursive: true, force: true };
  // Servers that are ended by a later hook may still write to it.
  owner.after(async () => {
    await rm(folder, remove).catch(() => {
      process.once('exit', () => rmSync(folder, remove));
    });
  });
  const file = join(folder, 'handler.mjs');
  const ledger = join(folder, 'ledger.ndjson');
  const go = join(folder, 'go');
  await writeFile(ledger, '');
  await writeFile(
    file,
    `import { appendFileSync } from 'node:fs';
${atLoad}
export default async function handle(orders) {
  const atMs = Number(process.hrtime.bigint() / 1000n) / 1000;
  const line = ({ id, attempt, data }) =>
    JSON.stringify({ id, attempt, username: data.username, atMs, batch: orders.length }) + '\\n';
  appendFileSync(${JSON.stringify(ledger)}, orders.map(line).join(''));
  ${body}
}
`,
  );
  // After the last line break there is nothing, or the beginning of a line that is still being written.
  const lines = async () =>
    (await readFile(ledger, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LedgerLine);
  return { file, lines, go: () => writeFile(go, ''), clear: () => writeFile(ledger, '') };
}
