import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT } from '../monitoring/rule-files.js';
import { dockerfileStages, isInContext, lastOf, type Stage } from './dockerfile.js';

/**
 * What `docker build` would make of the Dockerfile, made natively: each stage is a folder, into which its COPY
 * instructions copy and in which its RUN instructions run. What the stage does not copy is not there, which is what
 * this is for; the base image is this machine.
 */
export class NativeImage {
  readonly folder = mkdtempSync(join(tmpdir(), 'forebay-image-'));
  readonly #stages = dockerfileStages();

  constructor() {
    // Another user will run what is in it.
    chmodSync(this.folder, 0o755);
  }

  /** The root of the last stage, which is what ships. */
  get root(): string {
    return this.#rootOf(this.#stages.at(-1)!);
  }

  /** The Node of the base image: this one, where another user can reach it too. */
  get node(): string {
    return join(this.folder, 'node');
  }

  /** @throws Error with the output of a RUN that fails */
  build(): void {
    copyFileSync(process.execPath, this.node);
    for (const stage of this.#stages) {
      const root = this.#rootOf(stage);
      const workdir = join(root, lastOf(stage, 'WORKDIR'));
      mkdirSync(workdir, { recursive: true });
      for (const { word, rest } of stage.instructions) {
        if (word === 'COPY') this.#copy(rest, workdir);
        if (word === 'RUN') run(inside(rest, root), workdir);
      }
    }
  }

  /** The command of the container: ENTRYPOINT and CMD. */
  command(): string[] {
    const stage = this.#stages.at(-1)!;
    return ['ENTRYPOINT', 'CMD'].flatMap((word) => JSON.parse(lastOf(stage, word)) as string[]);
  }

  /** ENV of the last stage, its folders put where they are here. */
  env(): Record<string, string> {
    const pairs = lastOf(this.#stages.at(-1)!, 'ENV').matchAll(/(\w+)=(\S+)/g);
    return Object.fromEntries(
      Array.from(pairs, ([, name, value]) => [name!, inside(value!, this.root)]),
    );
  }

  get user(): number {
    return Number.parseInt(lastOf(this.#stages.at(-1)!, 'USER'), 10);
  }

  healthcheck(): string[] {
    const [, command] = /CMD (\[.*\])/.exec(lastOf(this.#stages.at(-1)!, 'HEALTHCHECK'))!;
    return JSON.parse(command!) as string[];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #rootOf(stage: Stage): string {
    return join(this.folder, stage.name || 'final');
  }

  #copy(rest: string, workdir: string): void {
    const [, from, paths] = /^(?:--from=(\w+) )?(.*)$/.exec(rest)!;
    const parts = paths!.split(' ');
    const target = parts.at(-1)!;
    for (const source of parts.slice(0, -1)) {
      if (from === undefined && !isInContext(source)) {
        throw new Error(`COPY ${source}: .dockerignore keeps it from the builder`);
      }
      const origin = from === undefined ? join(ROOT, source) : join(this.folder, from, source);
      const place = target.endsWith('/') ? join(target, basename(source)) : target;
      // Links of node_modules/.bin stay relative, as they do in an image.
      cpSync(origin, join(workdir, place), { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** `/data` of the image is a folder here. */
function inside(text: string, root: string): string {
  return text.replace(/(?<![\w.])\/data\b/g, join(root, 'data'));
}

function run(line: string, cwd: string): void {
  // Only root can give a folder to somebody else.
  const command = process.getuid?.() === 0 ? line : line.replace(/ -[og] \d+/g, '');
  const env = { ...process.env, NODE_ENV: '', npm_config_prefer_offline: 'true' };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`RUN ${line}: exit code ${status}\n${stdout}${stderr}`);
}
