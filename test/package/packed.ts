import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What `npm pack` reads. Packing takes place in a copy, because it removes the folder dist, from which tests run. */
const SOURCES = [
  '.npmrc',
  'LICENSE',
  'README.md',
  'drills',
  'k6',
  'package-lock.json',
  'package.json',
  'scripts/prestart.mjs',
  'scripts/vendor-lmdb.mjs',
  'src',
  'tsconfig.build.json',
  'tsconfig.json',
  'workers',
];

/** As in a shell: npm, which runs the tests, sets variables for its own children. */
export const PLAIN_ENV: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|FOREBAY_|NODE_)/i.test(name)),
);

/** The package, packed and installed into an empty folder. */
export class PackedForebay {
  readonly #folder = mkdtempSync(join(tmpdir(), 'forebay-package-'));
  /** A copy of the sources, with the packages of this clone. */
  readonly clone = join(this.#folder, 'clone');
  /** Where it is installed. */
  readonly installed = join(this.#folder, 'installed');
  tarball = '';
  /** Paths in the tarball. */
  files: readonly string[] = [];
  /** What npm printed when it installed. */
  installText = '';

  constructor() {
    for (const name of SOURCES) {
      cpSync(join(ROOT, name), join(this.clone, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.clone, 'node_modules'));
    mkdirSync(this.installed);
  }

  pack(): void {
    const text = runNpm(['pack', '--json', '--silent'], this.clone);
    const [{ filename, files }] = JSON.parse(text) as [
      { filename: string; files: { path: string }[] },
    ];
    this.tarball = join(this.clone, filename);
    this.files = files.map(({ path }) => path);
  }

  install(): void {
    this.installText = runNpm(['install', '--prefer-offline', this.tarball], this.installed);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @returns stdout and stderr. @throws Error with both when it fails */
export function runNpm(args: readonly string[], cwd: string): string {
  return run('npm', args, cwd);
}

export function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: PLAIN_ENV,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
  }
  return stdout + stderr;
}
