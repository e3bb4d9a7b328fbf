/**
 * The first two pages of an LMDB file, each with a description of the whole file: transaction n writes page n % 2. The
 * layout is that of lmdb 3.5.6 on 64-bit machines, little endian (mdb.c: MDB_page_header, MDB_meta, MDB_db).
 */

/** Before the content of each page: number, transaction, key size, flags, and two numbers that depend on the flags. */
export const HEAD_BYTES = 24;
export const PAGE_TXN_AT = 8;
export const PAGE_FLAGS_AT = 18;

const P_META = 0x08;
const MAGIC = 0xbeefc0de;
/** LMDB reads no other. */
const DATA_VERSION = 2;

const META_BYTES = 144;
const VERSION_AT = HEAD_BYTES + 4;
const FREE_TREE_AT = HEAD_BYTES + 24;
const TREE_BYTES = 48;
const LAST_PAGE_AT = HEAD_BYTES + 120;
const TXN_AT = HEAD_BYTES + 128;

const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65536;

/** Of the trees: keys are numbers. Set for the tree of free pages, and for no other of ours. */
const INTEGER_KEYS = 0x08;
/**
 * Kept in the flags of the tree of free pages, without a meaning for it: MDB_NOSUBDIR, and MDB_OVERLAPPINGSYNC of
 * lmdb-js.
 */
const ENVIRONMENT_FLAGS = 0x4000 | 0x1000;

/** The root of a tree without pages. */
export const NO_PAGE = -1;

/** A B-tree: MDB_db. The tables of the journal are trees whose descriptions are the values of the main tree. */
export interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  readonly root: number;
}

export interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly txn: number;
  /** Pages that may be reused, by the transaction that freed them. */
  readonly free: Tree;
  /** Tables by name. */
  readonly main: Tree;
}

/** What the file holds contradicts itself; the message says what, as it follows the name of the file. */
export class DamagedFile extends Error {
  constructor(what: string) {
    super(`is damaged: ${what}`);
  }
}

/** Another program wrote the file. The message follows the name of the file. */
export class ForeignFile extends Error {}

/** Enough of the file's start for `pageBytesOf`, or of a page for `readMeta`. */
export const META_PAGE_BYTES = HEAD_BYTES + META_BYTES;

/** @param first the start of the file. @throws DamagedFile, ForeignFile */
export function pageBytesOf(first: Buffer): number {
  const isCutBefore = first.length < VERSION_AT;
  const isOurs = isCutBefore ? isStartOfPage(first) : first.readUInt32LE(HEAD_BYTES) === MAGIC;
  if (!isOurs) throw new ForeignFile('is not a journal');
  if (first.length < META_PAGE_BYTES) {
    throw new DamagedFile(`it is cut short, to ${first.length} bytes`);
  }
  const version = first.readUInt32LE(VERSION_AT);
  if (version !== DATA_VERSION) {
    throw new ForeignFile(`is a file of version ${version} of LMDB's format, not ${DATA_VERSION}`);
  }
  const bytes = first.readUInt32LE(FREE_TREE_AT);
  if (bytes < PAGE_BYTES_MIN || bytes > PAGE_BYTES_MAX || (bytes & (bytes - 1)) !== 0) {
    throw new DamagedFile(`its first page says that a page has ${bytes} bytes`);
  }
  return bytes;
}

/** Page 0 begins with its number, which is followed by the unused number of a transaction. */
function isStartOfPage(first: Buffer): boolean {
  return first.subarray(0, PAGE_FLAGS_AT).every((byte) => byte === 0);
}

/** @param number 0 or 1. @throws DamagedFile it is not a description of this file */
export function readMeta(page: Buffer, number: number, pageBytes: number): Meta {
  const wrong = (what: string) => new DamagedFile(`page ${number}, which describes it, ${what}`);
  if (page.length < META_PAGE_BYTES) throw wrong('is cut short');
  if (page.readUInt32LE(HEAD_BYTES) !== MAGIC || page.readUInt16LE(PAGE_FLAGS_AT) !== P_META)
    throw wrong('is overwritten');
  if (pageBytesOf(page) !== pageBytes) throw wrong('has another page size');
  const meta = {
    pageBytes,
    lastPage: readNumber(page, LAST_PAGE_AT),
    txn: readNumber(page, TXN_AT),
    free: readTree(page, FREE_TREE_AT),
    main: readTree(page, FREE_TREE_AT + TREE_BYTES),
  };
  // LMDB takes the page by the number of the last transaction.
  if (meta.txn > 0 && meta.txn % 2 !== number) {
    throw wrong(`claims transaction ${meta.txn}, which is described by the other`);
  }
  if ((meta.free.flags & ~ENVIRONMENT_FLAGS) !== INTEGER_KEYS || meta.main.flags !== 0) {
    throw wrong('has unknown flags');
  }
  return meta;
}

/** The description of a table in a value of the main tree. @throws DamagedFile it is none */
export function readTable(value: Buffer, name: string): Tree {
  if (value.length !== TREE_BYTES) throw new DamagedFile(`table ${name} has no description`);
  const tree = readTree(value, 0);
  if (tree.flags !== 0) throw new DamagedFile(`table ${name} has unknown flags`);
  return tree;
}

function readTree(buffer: Buffer, at: number): Tree {
  return {
    flags: buffer.readUInt16LE(at + 4),
    depth: buffer.readUInt16LE(at + 6),
    branchPages: readNumber(buffer, at + 8),
    leafPages: readNumber(buffer, at + 16),
    overflowPages: readNumber(buffer, at + 24),
    entries: readNumber(buffer, at + 32),
    root: readPageNumber(buffer, at + 40),
  };
}

/** 8 bytes. Inexact above 2^53, which is beyond every limit that it is held against. */
export function readNumber(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 2 ** 32;
}

function readPageNumber(buffer: Buffer, at: number): number {
  const isNone =
    buffer.readUInt32LE(at) === 0xffffffff && buffer.readUInt32LE(at + 4) === 0xffffffff;
  return isNone ? NO_PAGE : readNumber(buffer, at);
}
