import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where scripts/tools.mjs keeps the programs that it gets. */
const TOOLS = fileURLToPath(new URL('../../../.tools/bin', import.meta.url));
const VERSION_MS_MAX = 10_000;

export interface K6Program {
  readonly file: string;
  /** Such as `1.8.1`. */
  readonly version: string;
}

/** @returns k6 from PATH, else from .tools; null when there is none that runs */
export async function findK6(): Promise<K6Program | null> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, TOOLS]) {
    const file = join(folder, 'k6');
    if (!isExecutable(file)) continue;
    const version = await versionOf(file);
    if (version !== null) return { file, version };
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(file: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(file, ['version'], { timeout: VERSION_MS_MAX });
    return /\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}
