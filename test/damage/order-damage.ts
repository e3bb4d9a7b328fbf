import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../../drills/ledger/random.js';
import { generationAt, PAGE_BYTES, readRecord } from '../../src/journal/frame/log-record.js';
import { LocalAppender } from '../../src/journal/local/appender.js';
import { FrameLog } from '../../src/journal/local/frame-log.js';
import {
  listSegments,
  logFolder,
  markSegmentsFull,
  segmentPath,
} from '../../src/journal/local/segment-files.js';
import { LocalSource } from '../../src/journal/local/source.js';
import { LocalUnreadable, watchUnreadable } from '../../src/journal/local/unreadable.js';
import { putDeadLetter } from '../../src/journal/store/dead-letter-rows.js';
import { decodeFresh, decodeLater } from '../../src/journal/store/frame-rows.js';
import { decodeKeys } from '../../src/journal/store/idempotency-rows.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import { type CheckedTable, rowsOf } from '../../src/journal/store/unreadable-rows.js';
import { type Frame, orderId } from '../../src/model/frame.js';
import type { Log } from '../../src/model/log.js';
import { fresh, NOTHING, newFrameId, take } from '../journal/frames.js';

/** Orders by id: the bytes as accepted. */
export type Orders = ReadonlyMap<string, string>;

/** A data folder as a crash leaves it, and what is in it. */
export interface Accepted {
  readonly folder: string;
  /** Those that wait, in the tables and in the frame log. */
  readonly waiting: Orders;
  readonly dead: Orders;
  /** Idempotency keys, and the digests of their orders. */
  readonly keys: ReadonlyMap<string, string>;
}

const parts = (log: Log) => ({ newFrameId, acceptedOrders: () => 0, retryMsMax: 60_000, log });
const LETTERS = 6;

/** By the code of a server: some frames settled, some retried, some in the tables, and some in the log alone. */
export async function acceptOrders(random: Random): Promise<Accepted> {
  const data = mkdtempSync(join(tmpdir(), 'forebay-fuzz-'));
  const source = new LocalSource(
    new LocalStore(data),
    parts(() => {}),
  );
  const store = new LocalStore(data);
  let appender = await openAppender(data);
  const keys = new Map<string, string>();
  const waiting = new Map<string, string>();
  const commit = async (orders: number) => {
    const frame = keyed(fresh(orders), keys);
    await appender.commit(frame);
    addOrders(frame, waiting);
  };
  for (let i = 0, n = 10 + random.below(10); i < n; i++) await commit(1 + random.below(60));
  await settleSome(source, random, waiting);
  const isReused = random.once(2);
  // All of its segment is in the tables when the source is closed, and another appender takes it.
  if (isReused) await appender.close();
  await source.close();
  if (isReused) appender = await openAppender(data);
  const dead = new Map(
    Array.from({ length: LETTERS }, (_, i) => [`${newFrameId()}-${i}`, `{"n":${i}}`]),
  );
  await store.write(() => {
    for (const [id, body] of dead) putDeadLetter(store, letterOf(id, body));
  });
  for (let i = 0, n = 3 + random.below(20); i < n; i++) await commit(1 + random.below(200));
  const folder = mkdtempSync(join(tmpdir(), 'forebay-fuzz-'));
  copyWithoutLocks(data, folder);
  await appender.close();
  await store.close();
  rmSync(data, { recursive: true });
  return { folder, waiting, dead, keys };
}

async function openAppender(data: string): Promise<LocalAppender> {
  const log = new FrameLog(data, () => true);
  await log.prepared();
  return new LocalAppender(new LocalStore(data), log);
}

function keyed(frame: Frame, keys: Map<string, string>): Frame {
  if (frame.count % 3 !== 0) return frame;
  const key = `key-${frame.id}`;
  keys.set(key, '0123456789abcdef');
  return { ...frame, keys: [{ position: 0, key, digest: '0123456789abcdef' }] };
}

function letterOf(id: string, body: string) {
  return {
    orderId: id,
    reason: 'r',
    attempts: 1,
    firstAtMs: 1,
    lastAtMs: 2,
    body: Buffer.from(body),
  };
}

/** A third is done, of a third one order is retried, and the rest waits. */
async function settleSome(source: LocalSource, random: Random, waiting: Map<string, string>) {
  for (const delivery of await take(source, 10)) {
    const { frame } = delivery;
    const end = random.below(3);
    if (end === 2) continue;
    const positions = end === 0 ? [] : [frame.count - 1];
    await delivery.settle({
      dead: [],
      refile: positions.length === 0 ? [] : [{ positions, attempt: 2, notBeforeMs: 0 }],
    });
    for (let i = 0; i < frame.count - positions.length; i++) waiting.delete(orderId(frame, i));
  }
}

function addOrders(frame: Frame, orders: Map<string, string>): void {
  for (let i = 0; i < frame.count; i++) addOrder(frame, i, orders);
}

function addOrder(frame: Frame, position: number, orders: Map<string, string>): void {
  orders.set(
    orderId(frame, position),
    Buffer.from(frame.payload).toString().split('\n')[position]!,
  );
}

export function copyWithoutLocks(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (!/-lock$|\.sock$/.test(name)) cpSync(join(from, name), join(to, name), { recursive: true });
  }
}

/** What a start makes of a folder. */
export interface Processed {
  /** Each time that an order was delivered. */
  readonly delivered: readonly (readonly [string, string])[];
  readonly dead: Orders;
  readonly keys: ReadonlyMap<string, string>;
  /** How often something was reported. */
  readonly reports: number;
}

/** Nothing comes any more if nothing comes for so long. */
const QUIET_MS = 500;

/** Starts on the folder, processes all orders, and reads what was reported. */
export async function processAll(data: string): Promise<Processed> {
  const events: string[] = [];
  const log: Log = (event, message) => events.push(`${event} ${message}`);
  const store = new LocalStore(data);
  markSegmentsFull(data);
  const source = new LocalSource(new LocalStore(data), parts(log));
  const keys = new Map(Array.from(source.keys(0), ({ key, digest }) => [key, digest]));
  const delivered: [string, string][] = [];
  await source.counted;
  // What is damaged may be counted and never come.
  for (let isLast = false; ; ) {
    const found = await source.pull(1000, AbortSignal.timeout(isLast ? QUIET_MS : 30));
    for (const delivery of found) {
      const orders = new Map<string, string>();
      addOrders(delivery.frame, orders);
      delivered.push(...orders);
      await delivery.settle(NOTHING);
    }
    if (found.length === 0 && (isLast || source.pendingOrders() === 0)) break;
    isLast = found.length === 0;
  }
  const watch = watchUnreadable(store, log);
  await watch.swept;
  await watch.close();
  const dead = new Map<string, string>();
  for (const { key, value } of rowsOf(store, 'dead')) {
    dead.set(key.toString('latin1'), /"body":(.*)\}$/.exec(value.toString())?.[1] ?? '');
  }
  let reports = events.length;
  for await (const _ of new LocalUnreadable(store).list()) reports++;
  await source.close();
  await store.close();
  return { delivered, dead, keys, reports };
}

const TABLES: readonly CheckedTable[] = ['frames', 'later', 'dead', 'keys'];
const STATE_TABLES = ['settled', 'exceptions', 'meta', 'ages'] as const;

export interface Damage {
  readonly ways: readonly string[];
  /** Ids of orders, and keys, of which a byte may have changed. */
  readonly touched: ReadonlySet<string>;
}

/** Changes what is stored, in one to four ways of chance. */
export async function damageOrders(data: string, random: Random): Promise<Damage> {
  const ways: string[] = [];
  const touched = new Set<string>();
  const damaged = new Set<string>();
  const store = new LocalStore(data);
  // One of them: with a position and the receipts damaged, what was done is unknown.
  const state = random.pick(STATE_TABLES);
  try {
    for (let i = 0, n = 1 + random.below(4); i < n; i++) {
      const table = random.below(4) === 0 ? state : random.pick(TABLES);
      const isRow = random.below(2) === 0;
      ways.push(
        isRow
          ? await damageRow(store, table, random, { touched, damaged })
          : damageSegment(data, random, touched),
      );
    }
  } finally {
    await store.close();
  }
  return { ways, touched };
}

function damageSegment(data: string, random: Random, touched: Set<string>): string {
  const folder = logFolder(data);
  const segment = random.pick(listSegments(folder));
  const path = segmentPath(folder, segment);
  const bytes = readFileSync(path);
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used--;
  const at = random.below(Math.max(1, used));
  const way = random.below(6);
  if (way === 0) {
    touchRecords(bytes, at, bytes.length, touched);
    truncateSync(path, at);
    return `${segment.id} cut to ${at}`;
  }
  // In a reused segment, nothing tells that the last record was there when its head is gone.
  const isLast = at + 9000 > lastInReused(bytes);
  const isFlip = way < 4 || isLast;
  const length = isFlip ? 1 : 1 + random.below(9000);
  touchRecords(bytes, at, at + length, touched);
  const area = bytes.subarray(at, at + length);
  // Of a last record that is all zeros, nothing tells that it was there.
  const fill = at + length >= used ? 1 + random.below(2) : random.below(3);
  for (let i = 0; i < area.length; i++) {
    if (isFlip) area[i]! ^= 1 << random.below(8);
    else area[i] = fill === 0 ? 0 : fill === 1 ? 0xff : random.below(256);
  }
  writeFileSync(path, bytes);
  return `${segment.id}: ${length} bytes at ${at}`;
}

/** Where the last record begins in a segment that is used again; beyond all positions in another. */
function lastInReused(bytes: Buffer): number {
  const generation = generationAt(bytes);
  if (generation === null) return Number.POSITIVE_INFINITY;
  let last = Number.POSITIVE_INFINITY;
  for (let position = 0; position < bytes.length; position += PAGE_BYTES) {
    const record = readRecord(bytes.subarray(position), generation, position);
    if (record !== null && !record.isFirstUse) last = position;
  }
  return last;
}

/** Notes the orders in records that overlap the range. */
function touchRecords(bytes: Buffer, from: number, to: number, touched: Set<string>): void {
  for (let position = 0; position < bytes.length; position += PAGE_BYTES) {
    const page = bytes.subarray(position);
    const generation = generationAt(page);
    const record = generation === null ? null : readRecord(page, generation, position);
    if (record === null || record.end <= from || position >= to) continue;
    touchFrame(decodeFresh(Buffer.from(record.key), Buffer.from(record.value)), touched);
  }
}

function touchFrame(frame: Frame, touched: Set<string>): void {
  for (let i = 0; i < frame.count; i++) touched.add(orderId(frame, i));
  for (const { key } of frame.keys) touched.add(key);
}

/** @param sets `damaged`: keys of rows that are left alone. A receipt of which key and value are damaged tells nothing. */
async function damageRow(
  store: LocalStore,
  name: CheckedTable | (typeof STATE_TABLES)[number],
  random: Random,
  { touched, damaged }: Readonly<Record<'touched' | 'damaged', Set<string>>>,
): Promise<string> {
  store.refresh();
  const rows = Array.from(store[name].getRange(), ({ key, value }) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
  })).filter(({ key }) => !damaged.has(key.toString('latin1')));
  if (rows.length === 0) return `${name} is empty`;
  const { key, value } = random.pick(rows);
  touchRow(name, key, value, touched);
  const isKey = random.below(4) === 0;
  const changed = mutated(isKey ? key : value, random);
  damaged.add((isKey ? changed : key).toString('latin1'));
  await store.write(() => {
    if (isKey && changed.length > 0) {
      store[name].remove(key);
      store[name].put(changed, value);
    } else store[name].put(key, changed);
  });
  return `${name}: ${isKey ? 'key' : 'value'} of ${key.toString('latin1').replace(/\W/g, '.')}`;
}

/** What is damaged already was noted then. */
function touchRow(name: string, key: Buffer, value: Buffer, touched: Set<string>): void {
  try {
    if (name === 'frames') touchFrame(decodeFresh(key, value), touched);
    else if (name === 'later') touchFrame(decodeLater(key, value), touched);
    else if (name === 'dead') touched.add(key.toString('latin1'));
    else if (name === 'keys') for (const { key: one } of decodeKeys(key, value)) touched.add(one);
  } catch {
    return;
  }
}

/** Some bytes changed, or shorter, or longer, or nothing. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const way = random.below(6);
  if (way === 0) return bytes.subarray(0, random.below(bytes.length + 1));
  if (way === 1) return Buffer.concat([bytes, bytes.subarray(0, random.below(20))]);
  const out = Buffer.from(bytes);
  for (let i = 0, n = 1 + random.below(3); i < n && out.length > 0; i++) {
    out[random.below(out.length)] = random.below(256);
  }
  return out;
}
