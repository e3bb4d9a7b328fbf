/**
 * Reads a whole LMDB file without LMDB, which trusts what it maps: a page that lies sends it beyond the file or the
 * page, and the process ends with SIGBUS or SIGSEGV.
 */
import { fstatSync, readSync } from 'node:fs';
import {
  DamagedFile,
  HEAD_BYTES,
  META_PAGE_BYTES,
  type Meta,
  NO_PAGE,
  PAGE_FLAGS_AT,
  PAGE_TXN_AT,
  pageBytesOf,
  readMeta,
  readNumber,
  readTable,
  type Tree,
} from './lmdb-meta.js';

const P_BRANCH = 0x01;
const P_LEAF = 0x02;
const P_OVERFLOW = 0x04;
const LOWER_AT = 20;
const UPPER_AT = 22;
const PAGES_AT = 20;

/** LMDB's stack of a cursor (mdb.c, CURSOR_STACK). */
const DEPTH_MAX = 32;

/** A node: size of the value or number of the child, flags, key size; then key and value. */
const NODE_BYTES = 8;
const NODE_FLAGS_AT = 4;
const KEY_SIZE_AT = 6;
/** The value is on overflow pages; the node has their number and count. */
const F_BIGDATA = 0x01;
/** The value describes a table. */
const F_SUBDATA = 0x02;
const BIG_VALUE_BYTES = 24;

const FIRST_FREE_PAGE = 2;

/**
 * The latest state of the file.
 * @param mapBytes what LMDB maps of it at most
 * @throws DamagedFile the two descriptions are not whole, or the file is shorter than they say
 */
export function latestMeta(descriptor: number, mapBytes: number): Meta {
  const pageBytes = pageBytesOf(readAt(descriptor, 0, META_PAGE_BYTES));
  const [one, two] = [0, 1].map((number) =>
    readMeta(readAt(descriptor, number * pageBytes, META_PAGE_BYTES), number, pageBytes),
  ) as [Meta, Meta];
  const latest = two.txn > one.txn ? two : one;
  const { size } = fstatSync(descriptor);
  const neededBytes = (latest.lastPage + 1) * pageBytes;
  if (neededBytes > mapBytes) throw new DamagedFile(`it says that it has ${neededBytes} bytes`);
  if (size < neededBytes) {
    throw new DamagedFile(`it is cut short: it has ${size} bytes of at least ${neededBytes}`);
  }
  return latest;
}

/** Called for each row. The key is valid during the call; the value is read when it is asked for. */
export type OnRow = (table: string, key: Buffer, value: () => Buffer) => void;

/**
 * Reads every page that can be reached from `meta`: 1 to 4 µs per page, without the pages of large values, of which
 * only the first is read.
 * @throws DamagedFile one of them is not what it must be
 */
export function walkFile(descriptor: number, meta: Meta, onRow: OnRow | null = null): void {
  new FileWalk(descriptor, meta).run(onRow);
}

function readAt(descriptor: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, position));
}

/** A key in a page that is held while the pages below it are read. */
interface Key {
  readonly page: Buffer;
  readonly at: number;
  readonly end: number;
}

interface Counts {
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

interface TreeWalk {
  readonly name: string;
  readonly tree: Tree;
  readonly counts: Counts;
  readonly compare: (one: Key, other: Key) => number;
  /** Called for each entry of a leaf. */
  readonly onEntry: (key: Key, value: () => Buffer, flags: number) => void;
}

class FileWalk {
  readonly #descriptor: number;
  readonly #meta: Meta;
  /** One bit per page. */
  readonly #reached: Uint8Array;
  /** One page per level: the pages above the one that is read are still needed. */
  readonly #levels: Buffer[] = [];
  readonly #head = Buffer.alloc(HEAD_BYTES);

  constructor(descriptor: number, meta: Meta) {
    this.#descriptor = descriptor;
    this.#meta = meta;
    this.#reached = new Uint8Array(Math.floor(meta.lastPage / 8) + 1);
  }

  run(onRow: OnRow | null): void {
    const { main, free } = this.#meta;
    const tables: [string, Tree][] = [];
    this.#walk('of tables', main, compareBytes, (key, value, flags) => {
      // lmdb-js ends names with NUL.
      const name = key.page.toString('latin1', key.at, key.end).replace(/\0$/, '');
      if ((flags & F_SUBDATA) === 0) throw new DamagedFile('its list of tables is damaged');
      tables.push([name, readTable(value(), name)]);
    });
    for (const [name, tree] of tables) {
      this.#walk(name, tree, compareBytes, (key, value, flags) => {
        if ((flags & F_SUBDATA) !== 0) throw new DamagedFile(`table ${name} is damaged`);
        onRow?.(name, key.page.subarray(key.at, key.end), value);
      });
    }
    const lists: Buffer[] = [];
    this.#walk('of free pages', free, compareNumbers, (key, value) => {
      numberOf(key);
      lists.push(Buffer.from(value()));
    });
    // When all pages in use are known.
    for (const list of lists) this.#checkFreePages(list);
  }

  #walk(
    name: string,
    tree: Tree,
    compare: TreeWalk['compare'],
    onEntry: TreeWalk['onEntry'],
  ): void {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    const walk = { name, tree, counts, compare, onEntry };
    if (tree.depth > DEPTH_MAX) throw damaged(walk, `has ${tree.depth} levels`);
    if (tree.root !== NO_PAGE) this.#page(walk, tree.root, 1, null, null);
    else if (tree.depth !== 0) throw damaged(walk, 'has no root');
    for (const key of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
      if (counts[key] !== tree[key]) {
        throw damaged(walk, `has ${counts[key]} ${key}, and says ${tree[key]}`);
      }
    }
  }

  /** @param from the least key, and `until` a key that is too large; null for none */
  #page(walk: TreeWalk, number: number, level: number, from: Key | null, until: Key | null): void {
    const { tree, counts } = walk;
    this.#reach(walk, number, 1);
    this.#levels[level] ??= Buffer.alloc(this.#meta.pageBytes);
    const page = this.#levels[level];
    this.#read(page, number);
    const isLeaf = level === tree.depth;
    this.#checkHead(walk, page, number, isLeaf ? P_LEAF : P_BRANCH);
    const nodes = this.#nodeCount(walk, page, number);
    if (isLeaf) {
      counts.leafPages++;
      counts.entries += nodes;
      this.#leaf(walk, page, number, nodes, from, until);
    } else {
      counts.branchPages++;
      if (nodes < 2) throw damaged(walk, `has page ${number} with a single branch`);
      this.#branch(walk, page, number, level, nodes, from, until);
    }
  }

  #branch(
    walk: TreeWalk,
    page: Buffer,
    number: number,
    level: number,
    nodes: number,
    from: Key | null,
    until: Key | null,
  ): void {
    // The key of the first branch is not used.
    let [child, low] = [this.#childOf(page, this.#nodeAt(walk, page, number, 0)), from];
    for (let i = 1; i < nodes; i++) {
      const at = this.#nodeAt(walk, page, number, i);
      const key = keyAt(page, at);
      this.#checkOrder(walk, number, low, key, until);
      this.#page(walk, child, level + 1, low, key);
      [child, low] = [this.#childOf(page, at), key];
    }
    this.#page(walk, child, level + 1, low, until);
  }

  #childOf(page: Buffer, at: number): number {
    return page.readUInt32LE(at) + page.readUInt16LE(at + NODE_FLAGS_AT) * 2 ** 32;
  }

  #leaf(
    walk: TreeWalk,
    page: Buffer,
    number: number,
    nodes: number,
    from: Key | null,
    until: Key | null,
  ): void {
    let before: Key | null = null;
    for (let i = 0; i < nodes; i++) {
      const at = this.#nodeAt(walk, page, number, i);
      const key = keyAt(page, at);
      if (before === null) {
        if (from !== null && walk.compare(key, from) < 0) throw disorder(walk, number);
        if (until !== null && walk.compare(key, until) >= 0) throw disorder(walk, number);
      } else this.#checkOrder(walk, number, before, key, until);
      before = key;
      const flags = page.readUInt16LE(at + NODE_FLAGS_AT);
      if ((flags & ~(F_BIGDATA | F_SUBDATA)) !== 0) {
        throw damaged(walk, `has unknown flags on page ${number}`);
      }
      const bytes = page.readUInt32LE(at);
      const isBig = (flags & F_BIGDATA) !== 0;
      if (key.end + (isBig ? BIG_VALUE_BYTES : bytes) > page.length) {
        throw damaged(walk, `has a value beyond the end of page ${number}`);
      }
      if (isBig) this.#overflow(walk, page, key.end, bytes);
      walk.onEntry(
        key,
        () =>
          isBig
            ? this.#bigValue(readNumber(page, key.end), bytes)
            : page.subarray(key.end, key.end + bytes),
        flags,
      );
    }
  }

  #checkOrder(walk: TreeWalk, number: number, low: Key | null, key: Key, until: Key | null): void {
    if (low !== null && walk.compare(low, key) >= 0) throw disorder(walk, number);
    if (until !== null && walk.compare(key, until) >= 0) throw disorder(walk, number);
  }

  /** The pages of a value: a number, the transaction, a count. */
  #overflow(walk: TreeWalk, page: Buffer, at: number, valueBytes: number): void {
    const number = readNumber(page, at);
    const pages = readNumber(page, at + 16);
    if (pages !== Math.ceil((HEAD_BYTES + valueBytes) / this.#meta.pageBytes)) {
      throw damaged(walk, `has a value of ${valueBytes} bytes on ${pages} pages`);
    }
    this.#reach(walk, number, pages);
    this.#read(this.#head, number);
    this.#checkHead(walk, this.#head, number, P_OVERFLOW);
    if (this.#head.readUInt32LE(PAGES_AT) !== pages) {
      throw damaged(walk, `has page ${number} with another count of pages`);
    }
    walk.counts.overflowPages += pages;
  }

  #bigValue(number: number, bytes: number): Buffer {
    return readAt(this.#descriptor, number * this.#meta.pageBytes + HEAD_BYTES, bytes);
  }

  #reach(walk: TreeWalk, number: number, pages: number): void {
    if (number < FIRST_FREE_PAGE || number + pages - 1 > this.#meta.lastPage) {
      throw damaged(walk, `leads to page ${number}, which does not exist`);
    }
    for (let page = number; page < number + pages; page++) {
      if (this.#isReached(page)) throw damaged(walk, `shares page ${page} with another`);
      this.#reached[page >> 3]! |= 1 << (page & 7);
    }
  }

  #isReached(page: number): boolean {
    return (this.#reached[page >> 3]! & (1 << (page & 7))) !== 0;
  }

  #read(into: Buffer, number: number): void {
    const bytes = readSync(this.#descriptor, into, 0, into.length, number * this.#meta.pageBytes);
    if (bytes < into.length) throw new DamagedFile(`it ends within page ${number}`);
  }

  #checkHead(walk: TreeWalk, page: Buffer, number: number, flags: number): void {
    if (readNumber(page, 0) !== number || page.readUInt16LE(PAGE_FLAGS_AT) !== flags) {
      throw damaged(walk, `has other content on page ${number}`);
    }
    // LMDB writes to a page that is newer than the last transaction, which is in the read-only map.
    if (readNumber(page, PAGE_TXN_AT) > this.#meta.txn) {
      throw damaged(walk, `has page ${number}, which is newer than the last transaction`);
    }
  }

  #nodeCount(walk: TreeWalk, page: Buffer, number: number): number {
    const lower = page.readUInt16LE(LOWER_AT);
    const upper = page.readUInt16LE(UPPER_AT);
    // They count from the end of the head.
    if (lower % 2 !== 0 || lower < 2 || lower > upper || upper + HEAD_BYTES > page.length) {
      throw damaged(walk, `has page ${number} with wrong bounds`);
    }
    return lower >> 1;
  }

  #nodeAt(walk: TreeWalk, page: Buffer, number: number, index: number): number {
    const offset = page.readUInt16LE(HEAD_BYTES + 2 * index);
    const at = HEAD_BYTES + offset;
    const isWithin =
      offset % 2 === 0 &&
      offset >= page.readUInt16LE(UPPER_AT) &&
      at + NODE_BYTES <= page.length &&
      at + NODE_BYTES + page.readUInt16LE(at + KEY_SIZE_AT) <= page.length;
    if (!isWithin) throw damaged(walk, `has an entry beyond the end of page ${number}`);
    return at;
  }

  /** A count, then numbers of pages; a negative number is the length of the run that begins at the next; 0 is a gap. */
  #checkFreePages(list: Buffer): void {
    const wrong = new DamagedFile('its list of free pages is damaged');
    const length = list.length < 8 ? -1 : Number(list.readBigInt64LE(0));
    if (length < 0 || (length + 1) * 8 > list.length) throw wrong;
    let run = 1;
    for (let i = 1; i <= length; i++) {
      const entry = Number(list.readBigInt64LE(8 * i));
      if (entry < 0) run = -entry;
      if (entry <= 0) continue;
      const end = entry + run - 1;
      if (entry < FIRST_FREE_PAGE || end > this.#meta.lastPage) throw wrong;
      for (let page = entry; page <= end; page++) {
        if (this.#isReached(page)) {
          throw new DamagedFile(`its list of free pages has page ${page}, which is in use`);
        }
      }
      run = 1;
    }
  }
}

function keyAt(page: Buffer, node: number): Key {
  const at = node + NODE_BYTES;
  return { page, at, end: at + page.readUInt16LE(node + KEY_SIZE_AT) };
}

function compareBytes(one: Key, other: Key): number {
  return one.page.compare(other.page, other.at, other.end, one.at, one.end);
}

function compareNumbers(one: Key, other: Key): number {
  return numberOf(one) - numberOf(other);
}

function numberOf({ page, at, end }: Key): number {
  if (end - at !== 8) throw new DamagedFile('its list of free pages is damaged');
  return readNumber(page, at);
}

function damaged({ name }: TreeWalk, what: string): DamagedFile {
  const tree = name.startsWith('of ') ? `its list ${name}` : `table ${name}`;
  return new DamagedFile(`${tree} ${what}`);
}

function disorder(walk: TreeWalk, number: number): DamagedFile {
  return damaged(walk, `is not in order on page ${number}`);
}
