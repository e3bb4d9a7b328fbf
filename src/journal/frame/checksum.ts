import { crc32 } from 'node:zlib';

/**
 * A stored row carries a CRC-32 of its key and its value, so that a changed byte is noticed, and so is a row under the
 * key of another. It is written so that older versions can read the row, and a row that they wrote can be read here.
 *
 * In a row that begins with JSON, the checksum is the first member: `{"crc":"89abcdef",`. It covers what follows.
 */
const OPEN = Buffer.from('{"crc":"');
const CLOSE = Buffer.from('",');
const DIGITS = 8;
const SEALED_FROM = OPEN.length + DIGITS + CLOSE.length;

/** The first characters of a row, before `seal` has filled in the checksum. The first member follows. */
export const UNSEALED_HEAD = `${OPEN}${'0'.repeat(DIGITS)}${CLOSE}`;

/** Fills in the checksum of a row that begins with `UNSEALED_HEAD`, in place. */
export function seal(row: Buffer, key: Uint8Array): Buffer {
  row.write(digits(crcOf(row, key)), OPEN.length, 'latin1');
  return row;
}

/**
 * Checks a row that was read.
 * @param oldStart how rows of the kind began before they had a checksum
 * @throws Error the row, or its key, is not as it was written
 */
export function requireSealed(row: Buffer, key: Uint8Array, oldStart: string): void {
  if (row.subarray(0, OPEN.length).equals(OPEN)) {
    const end = OPEN.length + DIGITS;
    const isClosed = row.subarray(end, SEALED_FROM).equals(CLOSE);
    const found = row.toString('latin1', OPEN.length, end);
    if (isClosed && found === digits(crcOf(row, key))) return;
    throw new Error('its checksum does not match');
  }
  if (row.toString('latin1', 0, oldStart.length) !== oldStart) {
    throw new Error('it does not begin as rows do');
  }
}

function crcOf(row: Buffer, key: Uint8Array): number {
  return crc32(row.subarray(SEALED_FROM), crc32(key));
}

function digits(crc: number): string {
  return crc.toString(16).padStart(DIGITS, '0');
}

/** Behind a row that is not JSON: 4 bytes, big endian. */
const CRC_BYTES = 4;

/** A row of bytes with its checksum behind it. */
export function sealBytes(value: Uint8Array, key: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(value.length + CRC_BYTES);
  out.set(value);
  out.writeUInt32BE(crc32(value, crc32(key)), value.length);
  return out;
}

/**
 * The value of a row that `sealBytes` made, or that an older version wrote without a checksum.
 * @param bytes possible lengths of the value
 * @throws Error the row, or its key, is not as it was written
 */
export function unsealBytes(row: Buffer, key: Uint8Array, ...bytes: readonly number[]): Buffer {
  if (bytes.includes(row.length)) return row;
  const end = row.length - CRC_BYTES;
  if (!bytes.includes(end)) throw new Error(`it has ${row.length} bytes`);
  const value = row.subarray(0, end);
  if (row.readUInt32BE(end) !== crc32(value, crc32(key))) {
    throw new Error('its checksum does not match');
  }
  return value;
}
