/** `forebay backup`: a consistent copy of the data folder, while the server runs. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { loadOptions } from '../../options/load.js';
import { isFolderInUse } from '../../process/locks.js';
import { claimPid } from '../../process/pid-lock.js';
import { bytesText, plural } from '../check/finding.js';

/** @param argv what follows `forebay backup`. @throws OperatorFault wrong usage, or no backup was made */
export async function run(argv: readonly string[]): Promise<number> {
  const { target, data } = parseBackup(argv, process.env);
  const startedMs = performance.now();
  const releasePid = await claimPid(data);
  try {
    const { backUp } = await import('../../journal/local/backup.js');
    const { inspectFolder } = await import('../../journal/local/inspect.js');
    const isInUse = statSync(data, { throwIfNoEntry: false }) ? await isFolderInUse(data) : false;
    await backUp(data, target, {
      isInUse,
      log: (_event, text) => void process.stderr.write(`forebay: ${text}\n`),
    });
    const { fault, journal } = await inspectFolder(target, '');
    const waiting = journal?.waiting ?? null;
    if (fault !== '' || journal === null || waiting === null) {
      const why = fault || journal?.fault;
      throw new OperatorFault(
        `backup of ${data} to ${target}: it cannot be read: ${why}; check the disk of ${target}`,
        EXIT.failed,
      );
    }
    const orders = `${waiting.isAtLeast ? 'at least ' : ''}${plural(waiting.orders, 'order')}`;
    const size = bytesText(statSync(join(target, 'journal.lmdb')).size);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stdout.write(
      `backed up ${data} to ${target}: ${orders} waiting, ${plural(journal.deadLetters, 'dead letter')}, ${size}, in ${seconds} s\n`,
    );
    return EXIT.ok;
  } finally {
    await releasePid();
  }
}

/** @throws OperatorFault wrong usage */
export function parseBackup(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly target: string; readonly data: string } {
  const { target, flags } = parse(argv);
  return { target, data: loadOptions(flags, env).data };
}

function parse(argv: readonly string[]): { target: string; flags: string[] } {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { data: text, config: text },
      allowPositionals: true,
    });
    const [target, ...more] = positionals;
    if (target === undefined || target === '' || more.length > 0) {
      throw new Error('expected exactly one folder for the backup');
    }
    const flags = Object.entries(values).map(([name, value]) => `--${name}=${value}`);
    return { target, flags };
  } catch (error) {
    const [what] = (error as Error).message.split(/\n|\. /);
    throw new OperatorFault(
      `backup: ${what}; usage: forebay backup DIR [--data FOLDER] [--config FILE]`,
      EXIT.usage,
    );
  }
}

/** What `forebay backup --help` prints. */
export function help(): string {
  return `forebay backup DIR: make a consistent copy of the data folder

  forebay backup DIR [--data FOLDER] [--config FILE]

The server may be running. DIR must be new or empty. It becomes a data folder:
to restore it, stop the server, move the old folder away, and copy DIR to its
place. Everything that was accepted before the command began is in it, or was
settled. Orders that were processed after it are processed again after a
restore.

With NATS, the data folder holds the spool; back up the streams with
nats stream backup.

Options
  --data FOLDER     data folder of the server (default ./data)
  --config FILE     options file of the server; FOREBAY_ variables apply too

Examples
  forebay backup /backup/forebay --data /var/lib/forebay
  forebay check --data /backup/forebay

Exit codes
  0  the backup is complete
  1  no backup: DIR is not empty, the disk is full, or the journal is damaged
  2  wrong usage
`;
}
