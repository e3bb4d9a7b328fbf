import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Folder in the data folder for what is not as it was written. Nothing reads it back; an operator removes it. */
const FOLDER = 'damaged';

/** `torn` is the end of a segment that may be no more than a write which a crash interrupted. */
export type SetAsideKind = 'damaged' | 'torn';

/**
 * What is kept of kind `torn`; the oldest go first. A server that is killed under load leaves one for each segment, of which
 * there are at most 320.
 */
export const TORN_FILES_MAX = 256;
export const TORN_BYTES_MAX = 64 * 1024 ** 2;

/** The first line of a file, as JSON; then come the bytes as they were found. */
export interface SetAsideFacts {
  /** In one or two words. */
  readonly what: string;
  /** Where it was. */
  readonly from: string;
  /** The id of a frame or order, as far as known; else empty. */
  readonly name: string;
  readonly reason: string;
}

/** A file in the folder. */
export interface SetAsideFile extends SetAsideFacts {
  readonly file: string;
  readonly kind: SetAsideKind;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Writes a file; returns when it is durable. Writing the same again makes no second file.
 * Files of kind `torn` beyond their bounds are removed.
 * @returns its path
 * @throws Error the disk takes no files
 */
export function setAside(
  dataFolder: string,
  name: string,
  kind: SetAsideKind,
  facts: SetAsideFacts,
  bytes: Uint8Array,
): string {
  const folder = join(dataFolder, FOLDER);
  mkdirSync(folder, { recursive: true });
  flush(dataFolder);
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(facts)}\n`), bytes]);
  const path = freePath(folder, name, kind, content);
  const half = join(folder, `.${randomBytes(6).toString('hex')}`);
  try {
    writeDurably(half, content);
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
  if (kind === 'torn') dropOldTorn(dataFolder, path);
  flush(folder);
  return path;
}

/** @param newest stays, whatever its size */
function dropOldTorn(dataFolder: string, newest: string): void {
  const byAge = setAsideNames(dataFolder, 'torn')
    .map((file) => join(dataFolder, FOLDER, file))
    .filter((path) => path !== newest)
    .map((path) => ({ path, stats: statSync(path, { throwIfNoEntry: false }) }))
    .sort((a, b) => (b.stats?.mtimeMs ?? 0) - (a.stats?.mtimeMs ?? 0));
  let bytes = statSync(newest).size;
  byAge.forEach(({ path, stats }, index) => {
    bytes += stats?.size ?? 0;
    if (index + 1 >= TORN_FILES_MAX || bytes > TORN_BYTES_MAX) rmSync(path, { force: true });
  });
}

function writeDurably(path: string, content: Buffer): void {
  const descriptor = openSync(path, 'wx');
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Where no other content is. */
function freePath(folder: string, name: string, kind: SetAsideKind, content: Buffer): string {
  for (let n = 1; ; n++) {
    const path = join(folder, `${name}${n === 1 ? '' : `-${n}`}.${kind}`);
    try {
      if (readFileSync(path).equals(content)) return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
      throw error;
    }
  }
}

function flush(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The names of the files in the folder, of one kind. */
export function setAsideNames(dataFolder: string, kind: SetAsideKind): string[] {
  try {
    return readdirSync(join(dataFolder, FOLDER)).filter((file) => file.endsWith(`.${kind}`));
  } catch {
    return [];
  }
}

/** What the first line of each file says. */
export function* setAsideFiles(dataFolder: string): Iterable<SetAsideFile> {
  for (const kind of ['damaged', 'torn'] as const) {
    for (const file of setAsideNames(dataFolder, kind).sort()) {
      const path = join(dataFolder, FOLDER, file);
      const stats = statSync(path, { throwIfNoEntry: false });
      // A server may have just removed it.
      if (stats !== undefined) yield { file, kind, bytes: stats.size, ...factsIn(path) };
    }
  }
}

const UNKNOWN: SetAsideFacts = {
  what: 'file',
  from: '',
  name: '',
  reason: 'its first line is not JSON',
};

function factsIn(path: string): SetAsideFacts {
  try {
    const content = readFileSync(path);
    const line = content.toString('utf8', 0, Math.max(0, content.indexOf('\n')));
    return { ...UNKNOWN, ...(JSON.parse(line) as SetAsideFacts) };
  } catch {
    return UNKNOWN;
  }
}
