import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** The packages of the contestants that run on Node, which are none of this project's own. */
export const nodePackages: Need = {
  lacking: async () => {
    // npm writes this file last.
    const mark = join(NODE_FOLDER, 'node_modules', '.package-lock.json');
    return existsSync(mark) ? null : 'no packages in bench/contestants/node: npm ci there';
  },
  get: async () => {
    programs.progress('npm ci in bench/contestants/node');
    await programs.runProgram('npm', ['ci'], { cwd: NODE_FOLDER });
  },
};

/** A Go program, built once from its folder here; built again when its sources change. */
export function goNeed(name: string): Need {
  return {
    lacking: async () => {
      return existsSync(goProgram(name)) ? null : `bench/contestants/${name} is not built`;
    },
    get: async () => {
      const file = goProgram(name);
      mkdirSync(dirname(file), { recursive: true });
      programs.progress(`go build in bench/contestants/${name} (takes a minute or two)`);
      const part = `${file}.part-${process.pid}`;
      await programs.runProgram('go', ['build', '-o', part, '.'], { cwd: join(SOURCES, name) });
      renameSync(part, file);
    },
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

/** A file beside the sources of a contestant. */
export function sourceFile(name: string, file: string): string {
  return join(SOURCES, name, file);
}
