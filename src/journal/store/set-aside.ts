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
  flush(folder);
  return path;
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
      yield { file, kind, bytes: statSync(path).size, ...factsIn(path) };
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
