/** Rows of the table `meta`, one per segment: nothing before this position counts any more. */
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { sealBytes, unsealBytes } from '../frame/checksum.js';
import { GENERATION_BYTES } from '../frame/generation.js';
import type { LocalStore, Table } from '../store/local-store.js';
import type { LogPosition } from './segment-content.js';
import { listSegments } from './segment-files.js';

const KEY_PREFIX = 'log/';
/** `0` is the character after `/`. */
const POSITION_ROWS = {
  start: Buffer.from(KEY_PREFIX, 'latin1'),
  end: Buffer.from('log0', 'latin1'),
};
/** The generation, then the position (big endian). */
const POSITION_BYTES = GENERATION_BYTES + 4;

/**
 * The frames before this position are settled, or in the tables.
 * @throws Error the row is not as it was written
 */
export function readPosition(meta: Table, id: string): LogPosition | null {
  const key = rowKey(id);
  const found = meta.getBinary(key);
  if (found === undefined) return null;
  const row = unsealBytes(found, key, POSITION_BYTES);
  return {
    generation: Buffer.from(row.subarray(0, GENERATION_BYTES)),
    position: row.readUInt32BE(GENERATION_BYTES),
  };
}

/** To be called inside a write transaction. */
export function writePosition(
  store: LocalStore,
  id: string,
  { generation, position }: LogPosition,
): void {
  const key = rowKey(id);
  const row = Buffer.alloc(POSITION_BYTES);
  generation.copy(row);
  row.writeUInt32BE(position, GENERATION_BYTES);
  store.meta.put(key, sealBytes(row, key));
}

/**
 * Removes the rows of segments that no longer exist. For the start only: it waits until their deletion is durable,
 * because the frames of a segment that came back after a power cut would be processed twice.
 */
export function removeStalePositions(store: LocalStore, folder: string): void {
  const there = new Set(listSegments(folder).map(({ id }) => rowKey(id).toString('latin1')));
  const gone = Array.from(store.meta.getKeys(POSITION_ROWS), (key) => Buffer.from(key)).filter(
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
  return Buffer.from(`${KEY_PREFIX}${id}`, 'latin1');
}
