import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { GENERATION_BYTES } from '../../frame/log-record.js';
import type { LocalStore, Table } from '../../store/local-store.js';
import { listSegments } from './segment-files.js';
import type { Place } from './segment-reader.js';

const PREFIX = 'log/';
/** `0` is what comes behind `/`. */
const ROWS = { start: Buffer.from(PREFIX, 'latin1'), end: Buffer.from('log0', 'latin1') };

/** A row of the table `meta` a segment: its generation, then how far it has been moved (4 bytes, big endian). */
export function readPlace(meta: Table, id: string): Place | null {
  const row = meta.getBinary(rowKey(id));
  if (row === undefined) return null;
  return {
    generation: Buffer.from(row.subarray(0, GENERATION_BYTES)),
    position: row.readUInt32BE(GENERATION_BYTES),
  };
}

/** To be called inside a write transaction. */
export function writePlace(store: LocalStore, id: string, { generation, position }: Place): void {
  const row = Buffer.alloc(GENERATION_BYTES + 4);
  generation.copy(row);
  row.writeUInt32BE(position, GENERATION_BYTES);
  store.meta.put(rowKey(id), row);
}

/**
 * Forgets segments that are there no more. For a start only: it waits until their removal is durable, for one that came
 * back after a power cut would be moved a second time.
 */
export function forgetPlaces(store: LocalStore, folder: string): void {
  const there = new Set(listSegments(folder).map(({ id }) => rowKey(id).toString('latin1')));
  const gone = Array.from(store.meta.getKeys(ROWS), (key) => Buffer.from(key)).filter(
    (key) => !there.has(key.toString('latin1')),
  );
  if (gone.length === 0 || !existsSync(folder)) return;
  flushNames(folder);
  store.transact(() => {
    for (const key of gone) store.meta.remove(key);
  });
}

function flushNames(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function rowKey(id: string): Buffer {
  return Buffer.from(`${PREFIX}${id}`, 'latin1');
}
