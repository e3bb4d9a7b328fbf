import { type Frame, type KeyedOrder, type Refiled, schemaMember } from '../../model/frame.js';
import { requireSealed, seal, UNSEALED_HEAD } from './checksum.js';

const VERSION = 1;
const NEWLINE = 10;

interface Header {
  readonly v: number;
  readonly id: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  readonly attempt: number;
  readonly notBeforeMs: number;
  readonly refiled?: Refiled;
  readonly crashes?: number;
  readonly schema?: string;
  readonly keys?: readonly KeyedOrder[];
}

/** How records without a checksum of their own begin: those in the log, and rows of 0.1.0. */
const OLD_START = `{"v":${VERSION},`;

/**
 * A frame as the local journal stores it: one line of JSON, then the frame's NDJSON payload unchanged. A record is
 * readable by eye, and its version and checksum are in its header.
 * @param key of the row that the record is for
 */
export function encodeRecord(frame: Frame, key: Uint8Array): Buffer {
  const line = UNSEALED_HEAD + headerLine(frame).slice(1);
  const lineBytes = Buffer.byteLength(line);
  // The payload is copied: its owner may reuse it once the commit has failed, while LMDB reads it later.
  const record = Buffer.allocUnsafeSlow(lineBytes + frame.payload.length);
  record.write(line, 0, 'utf8');
  record.set(frame.payload, lineBytes);
  return seal(record, key);
}

/** The first line of such a record where a checksum around it covers all of it. */
export function recordHeader(frame: Frame): Buffer {
  return Buffer.from(headerLine(frame));
}

/** The same record with a checksum of its own, for a row of a table. */
export function sealedRecord(record: Buffer, key: Uint8Array): Buffer {
  if (!record.toString('latin1', 0, OLD_START.length).startsWith(OLD_START)) return record;
  return seal(Buffer.concat([Buffer.from(UNSEALED_HEAD), record.subarray(1)]), key);
}

function headerLine(frame: Frame): string {
  const header: Header = {
    v: VERSION,
    id: frame.id,
    count: frame.count,
    acceptedAtMs: frame.acceptedAtMs,
    attempt: frame.attempt,
    notBeforeMs: frame.notBeforeMs,
    ...(frame.refiled === null ? {} : { refiled: frame.refiled }),
    ...(frame.crashes === undefined ? {} : { crashes: frame.crashes }),
    ...(frame.schema === undefined ? {} : { schema: frame.schema }),
    ...(frame.keys.length === 0 ? {} : { keys: frame.keys }),
  };
  return `${JSON.stringify(header)}\n`;
}

/**
 * @param key of the row in which the record was found
 * @throws Error the record or its key is not as it was written, or its version is unknown; the message does not name
 *   the row
 */
export function decodeRecord(record: Buffer, key: Uint8Array): Frame {
  requireSealed(record, key, OLD_START);
  const lineEnd = record.indexOf(NEWLINE);
  if (lineEnd < 0) throw new Error('it has no header line');
  const header = parseHeader(record.toString('utf8', 0, lineEnd));
  if (header.v !== VERSION) throw new Error(`it has the unknown version ${header.v}`);
  return requireConsistentFrame({
    id: header.id,
    count: header.count,
    payload: record.subarray(lineEnd + 1),
    acceptedAtMs: header.acceptedAtMs,
    attempt: header.attempt,
    notBeforeMs: header.notBeforeMs,
    refiled: header.refiled ?? null,
    ...(header.crashes === undefined ? {} : { crashes: header.crashes }),
    ...schemaMember(header.schema),
    keys: header.keys ?? [],
  });
}

function parseHeader(line: string): Header {
  try {
    return JSON.parse(line) as Header;
  } catch {
    throw new Error('its header is not JSON');
  }
}

/** The id of a frame: part of order ids and of NATS subjects. */
const FRAME_ID = /^[\w-]{1,64}$/;
/** An order id has up to nine digits for the index. */
const INDEX_MAX = 999_999_999;

/**
 * Checks that the parts of a frame that was read are possible and agree: the number of complete lines, an origin for
 * each order of a refiled frame, keys for its own orders. Other programs may write to the same stream; after this
 * check, the code relies on it.
 * @throws Error names the frame and what does not agree
 */
export function requireConsistentFrame(frame: Frame): Frame {
  const { id, count, payload, refiled, keys } = frame;
  if (typeof id !== 'string' || !FRAME_ID.test(id)) throw new Error('it has no frame id');
  const times = [frame.acceptedAtMs, frame.notBeforeMs];
  const numbers = [count, frame.attempt, frame.crashes ?? 0];
  const isPossible = numbers.every(isNatural) && count > 0 && frame.attempt > 0;
  if (!isPossible || !times.every(isTime)) {
    throw new Error(`frame ${id} has an impossible count, attempt or time`);
  }
  if (refiled !== null && !isOrigin(refiled)) throw new Error(`frame ${id} has an invalid origin`);
  if (!areKeys(keys, count)) throw new Error(`frame ${id} has invalid keys`);
  let lines = 0;
  for (let at = payload.indexOf(NEWLINE); at >= 0; at = payload.indexOf(NEWLINE, at + 1)) lines++;
  const isEnded = payload.length > 0 && payload[payload.length - 1] === NEWLINE;
  const hasOrigins = refiled === null || refiled.indexes.length === count;
  if (lines !== count || !isEnded || !hasOrigins) {
    throw new Error(`frame ${id} should have ${count} orders but has ${lines} complete lines`);
  }
  return frame;
}

/** Each order of the original frame at most once. */
function isOrigin({ origin, indexes }: Refiled): boolean {
  if (typeof origin !== 'string' || !FRAME_ID.test(origin) || !Array.isArray(indexes)) return false;
  if (!indexes.every((index) => isNatural(index) && index <= INDEX_MAX)) return false;
  return new Set(indexes).size === indexes.length;
}

function areKeys(keys: readonly KeyedOrder[], count: number): boolean {
  if (!Array.isArray(keys)) return false;
  let least = 0;
  for (const keyed of keys) {
    if (!isKeyedOrder(keyed) || keyed.position < least || keyed.position >= count) return false;
    least = keyed.position + 1;
  }
  return true;
}

/** Whether this is what `KeyedOrder` says, as far as code relies on it. */
export function isKeyedOrder(value: unknown): value is KeyedOrder {
  if (typeof value !== 'object' || value === null) return false;
  const { position, key, digest } = value as Partial<KeyedOrder>;
  return isNatural(position) && typeof key === 'string' && typeof digest === 'string';
}

/** Rows have six bytes for a time. */
const TIME_MS_MAX = 2 ** 48 - 1;

/** Whether this can be a time, epoch milliseconds. */
export function isTime(value: unknown): value is number {
  return isNatural(value) && value <= TIME_MS_MAX;
}

export function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
