import type { LocalStore, Table } from '../local-store.js';
import { GENERATION_BYTES } from './log-record.js';
import type { Place } from './segment-reader.js';

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

function rowKey(id: string): Buffer {
  return Buffer.from(`log/${id}`, 'latin1');
}
