import { crc32 } from 'node:zlib';
import type { MsgHdrs } from '@nats-io/transport-node';

/** `1` is the version, a space, and the CRC-32 in eight hexadecimal digits. Messages of earlier versions have none. */
const SUM = 'Forebay-Sum';
const VERSION = '1';
const DIGITS = 8;
const NOTHING = new Uint8Array(0);

/** What a message says besides its payload, in a fixed sequence. */
export type SummedFields = readonly (string | number)[];

/** Adds the checksum of the fields and of the payload, which may be changed later only together with it. */
export function setSum(out: MsgHdrs, fields: SummedFields, payload: Uint8Array): void {
  out.set(SUM, `${VERSION} ${sumOf(fields, payload)}`);
}

/**
 * Checks the checksum of a message that has one, or should have one. NATS keeps a checksum of its own for what is on its disks; this one
 * also finds what another program has changed, and what was changed on the way.
 * @throws Error the message is not as it was written; the error does not name it
 */
export function requireSum(
  found: MsgHdrs,
  fields: SummedFields,
  payload: Uint8Array,
  isNeeded = false,
): void {
  const sum = found.get(SUM);
  if (sum === '' && isNeeded) throw new Error('its checksum is missing');
  if (sum !== '' && sum !== `${VERSION} ${sumOf(fields, payload)}`) {
    throw new Error('its checksum does not match: it is not as it was written');
  }
}

/** The CRC-32 of the fields and of the payload, in hexadecimal digits. */
export function sumOf(fields: SummedFields, payload: Uint8Array = NOTHING): string {
  // No field has a line end.
  const crc = crc32(payload, crc32(fields.join('\n')));
  return crc.toString(16).padStart(DIGITS, '0');
}
