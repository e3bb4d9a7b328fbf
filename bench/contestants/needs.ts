import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A dependency of a contestant that `npm ci` of this project does not install. */
export interface Need {
  /** Changes nothing. @returns null, or in one line what is missing on this machine */
  lacking(): Promise<string | null>;
  /** @throws Error in one line, with the fix */
  install(): Promise<void>;
}

// From dist/bench/contestants.
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = join(ROOT, 'bench', 'contestants');
const BUILT = join(ROOT, '.tools', 'contestants');

const tools = await import(new URL('../../../scripts/tools.mjs', import.meta.url).href);
const locks = await import(new URL('../../../scripts/tools/lock.mjs', import.meta.url).href);
const programs = await import(new URL('../../../scripts/tools/programs.mjs', import.meta.url).href);

/** A program of scripts/tools/catalogue.mjs. */
export function toolNeed(name: string): Need {
  return {
    lacking: async () =>
      (await tools.findTool(name)) === null ? `${name} is not installed` : null,
    install: () => tools.ensureTool(name),
  };
}

const NODE_FOLDER = join(SOURCES, 'node');

export function nodeProgram(file: string): string {
  return join(NODE_FOLDER, file);
}

interface LockedPackage {
  readonly version: string;
  /** Installed on some platforms only. */
  readonly optional?: boolean;
}

/** The packages of a lock file by path; none if the file does not exist. */
function packagesOf(lockFile: string): Record<string, LockedPackage> {
  const file = join(NODE_FOLDER, lockFile);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/** The packages of the contestants that run on Node. This project does not use them. */
export const nodePackages: Need = {
  lacking: async () => {
    // npm writes this file at the end of an installation.
    const installed = packagesOf('node_modules/.package-lock.json');
    const isThere = Object.entries(packagesOf('package-lock.json')).every(
      ([path, { version, optional }]) =>
        path === '' || optional === true || installed[path]?.version === version,
    );
    return isThere
      ? null
      : 'packages in bench/contestants/node are missing or old: run npm ci there';
  },
  install: () =>
    withLock('node', async () => {
      if ((await nodePackages.lacking()) === null) return;
      programs.progress('npm ci in bench/contestants/node');
      await programs.runProgram('npm', ['ci'], { cwd: NODE_FOLDER }).catch(() => {
        // The last line of npm's output is the path of its log, which does not help.
        throw new Error('`npm ci` in bench/contestants/node fails: run it to see why');
      });
    }),
};

/** A Go program, built from its folder here when its sources have changed. */
export function goNeed(name: string): Need {
  return {
    lacking: async () => {
      return existsSync(goProgram(name)) ? null : `bench/contestants/${name} is not built`;
    },
    install: () =>
      withLock(name, async () => {
        const file = goProgram(name);
        if (existsSync(file)) return;
        programs.progress(`go build in bench/contestants/${name} (takes a minute or two)`);
        const part = `${file}.part`;
        const cwd = join(SOURCES, name);
        // The name of the file identifies its sources, and git may be missing.
        const args = ['build', '-buildvcs=false', '-o', part, '.'];
        await programs.runProgram('go', args, { cwd }).catch((error: Error) => {
          throw new Error(`${name} needs Go 1.26 or later: ${error.message}`);
        });
        renameSync(part, file);
      }),
  };
}

/** The path of the program built from the current sources. */
export function goProgram(name: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(join(SOURCES, name)).sort()) {
    if (!/^go\.(mod|sum)$|\.go$/.test(file)) continue;
    hash.update(`${file}\0`).update(readFileSync(join(SOURCES, name, file)));
  }
  return join(BUILT, `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/** If two benchmarks run at once, one installs and the other waits. */
function withLock(name: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(BUILT, { recursive: true });
  return locks.withLock(join(BUILT, `${name}.lock`), work);
}

/** The path of a file in the source folder of a contestant. */
export function sourceFile(name: string, file: string): string {
  return join(SOURCES, name, file);
}
