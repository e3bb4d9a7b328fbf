import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Something that a contestant is made of, and that `npm ci` of this project does not install. */
export interface Need {
  /** @returns null when it is here, else what is not, in one line; looks only at this machine, and changes nothing */
  lacking(): Promise<string | null>;
  /** Gets it from where it is published. @throws Error in one line, with the remedy */
  get(): Promise<void>;
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
    lacking: async () => ((await tools.findTool(name)) === null ? `no ${name} here` : null),
    get: () => tools.ensureTool(name),
  };
}

const NODE_FOLDER = join(SOURCES, 'node');

export function nodeProgram(file: string): string {
  return join(NODE_FOLDER, file);
}

interface LockedPackage {
  readonly version: string;
  /** Not for every machine. */
  readonly optional?: boolean;
}

/** What a lock file names, by its place; nothing when there is none. */
function packagesOf(lockFile: string): Record<string, LockedPackage> {
  const file = join(NODE_FOLDER, lockFile);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/** The packages of the contestants that run on Node, which are none of this project's own. */
export const nodePackages: Need = {
  lacking: async () => {
    // What npm installed last; it writes this file at the end.
    const installed = packagesOf('node_modules/.package-lock.json');
    const isThere = Object.entries(packagesOf('package-lock.json')).every(
      ([path, { version, optional }]) =>
        path === '' || optional === true || installed[path]?.version === version,
    );
    return isThere ? null : 'no packages in bench/contestants/node, or old ones: npm ci there';
  },
  get: () =>
    withLock('node', async () => {
      if ((await nodePackages.lacking()) === null) return;
      programs.progress('npm ci in bench/contestants/node');
      await programs.runProgram('npm', ['ci'], { cwd: NODE_FOLDER }).catch(() => {
        // What npm says last is where its log lies.
        throw new Error('no packages: `npm ci` in bench/contestants/node fails, and says why');
      });
    }),
};

/** A Go program, built once from its folder here; built again when its sources change. */
export function goNeed(name: string): Need {
  return {
    lacking: async () => {
      return existsSync(goProgram(name)) ? null : `bench/contestants/${name} is not built`;
    },
    get: () =>
      withLock(name, async () => {
        const file = goProgram(name);
        if (existsSync(file)) return;
        programs.progress(`go build in bench/contestants/${name} (takes a minute or two)`);
        const part = `${file}.part`;
        const cwd = join(SOURCES, name);
        // Where it comes from is in its name already, and git need not be here.
        const args = ['build', '-buildvcs=false', '-o', part, '.'];
        await programs.runProgram('go', args, { cwd }).catch((error: Error) => {
          throw new Error(`${name} needs Go 1.26 or later: ${error.message}`);
        });
        renameSync(part, file);
      }),
  };
}

/** Where the program is kept once it is built from the sources that there are now. */
export function goProgram(name: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(join(SOURCES, name)).sort()) {
    if (!/^go\.(mod|sum)$|\.go$/.test(file)) continue;
    hash.update(`${file}\0`).update(readFileSync(join(SOURCES, name, file)));
  }
  return join(BUILT, `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/** Of two benches at once, one gets a thing, and the other waits for it. */
function withLock(name: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(BUILT, { recursive: true });
  return locks.withLock(join(BUILT, `${name}.lock`), work);
}

/** A file beside the sources of a contestant. */
export function sourceFile(name: string, file: string): string {
  return join(SOURCES, name, file);
}
