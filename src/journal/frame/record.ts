import type { Frame, KeyedOrder, Refiled } from '../../model/frame.js';

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
  readonly keys?: readonly KeyedOrder[];
}

/**
 * A frame as the local journal stores it: one line of JSON, then the frame's NDJSON payload unchanged. A record is
 * readable by eye, and the version is in its header.
 */
export function encodeRecord(frame: Frame): Buffer {
  const header: Header = {
    v: VERSION,
    id: frame.id,
    count: frame.count,
    acceptedAtMs: frame.acceptedAtMs,
    attempt: frame.attempt,
    notBeforeMs: frame.notBeforeMs,
    ...(frame.refiled === null ? {} : { refiled: frame.refiled }),
    ...(frame.keys.length === 0 ? {} : { keys: frame.keys }),
  };
  const line = `${JSON.stringify(header)}\n`;
  const lineBytes = Buffer.byteLength(line);
  // The payload is copied: its owner may reuse it once the commit has failed, while LMDB reads it later.
  const record = Buffer.allocUnsafeSlow(lineBytes + frame.payload.length);
  record.write(line, 0, 'utf8');
  record.set(frame.payload, lineBytes);
  return record;
}

/** @throws Error the bytes are not a record, or its version is unknown */
export function decodeRecord(record: Uint8Array): Frame {
  const lineEnd = record.indexOf(NEWLINE);
  if (lineEnd < 0) throw new Error('a journal record has no header line');
  const line = Buffer.from(record.buffer, record.byteOffset, lineEnd).toString('utf8');
  const header = JSON.parse(line) as Header;
  if (header.v !== VERSION) throw new Error(`a journal record has the unknown version ${header.v}`);
  return requireConsistentFrame({
    id: header.id,
    count: header.count,
    payload: record.subarray(lineEnd + 1),
    acceptedAtMs: header.acceptedAtMs,
    attempt: header.attempt,
    notBeforeMs: header.notBeforeMs,
    refiled: header.refiled ?? null,
    keys: header.keys ?? [],
  });
}

/**
 * Checks that the parts of a frame that was read agree: the number of complete lines, and an origin for each order of
 * a refiled frame. Other programs may write to the same stream; after this check, the code relies on it.
 * @throws Error names the frame and what does not agree
 */
export function requireConsistentFrame(frame: Frame): Frame {
  const { id, count, payload, refiled } = frame;
  let lines = 0;
  for (let at = payload.indexOf(NEWLINE); at >= 0; at = payload.indexOf(NEWLINE, at + 1)) lines++;
  const isEnded = payload.length > 0 && payload[payload.length - 1] === NEWLINE;
  const hasOrigins = refiled === null || refiled.indexes.length === count;
  if (lines !== count || !isEnded || !hasOrigins) {
    throw new Error(`frame ${id} should have ${count} orders but has ${lines} complete lines`);
  }
  return frame;
}
