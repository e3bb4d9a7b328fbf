import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { type Frame, type Refiled, schemaMember } from '../../model/frame.js';
import { requireSealed, seal, UNSEALED_HEAD } from './checksum.js';
import { isNatural, isTime } from './record.js';
import { derivedFrameId } from './refile.js';

const BODY = Buffer.from(',"body":');

/** How records began before they had a checksum. */
const OLD_START = '{"reason":';

/**
 * JSON whose last member is the order, byte for byte as it was accepted.
 * @param key of the row that the record is for
 */
export function encodeDeadLetter(letter: StoredDeadLetter, key: Uint8Array): Buffer {
  const { reason, attempts, firstAtMs, lastAtMs, schema, body } = letter;
  const head = JSON.stringify({ reason, attempts, firstAtMs, lastAtMs, schema });
  const start = Buffer.from(UNSEALED_HEAD + head.slice(1, -1));
  return seal(Buffer.concat([start, BODY, body, Buffer.from('}')]), key);
}

/**
 * @param key of the row in which the record was found
 * @throws Error the record is not a valid dead letter; the message does not name it
 */
export function decodeDeadLetter(
  orderId: string,
  record: Buffer,
  key: Uint8Array,
): StoredDeadLetter {
  requireSealed(record, key, OLD_START);
  // The first match is the member: in the reason, which comes before it, the quotes would be escaped.
  const bodyAt = record.indexOf(BODY);
  if (bodyAt < 0) throw new Error('it has no body');
  const head = parseHead(`${record.toString('utf8', 0, bodyAt)}}`);
  const { reason, attempts, firstAtMs, lastAtMs, schema } = head;
  const body = record.subarray(bodyAt + BODY.length, -1);
  return requireValidDeadLetter({
    orderId,
    reason,
    attempts,
    firstAtMs,
    lastAtMs,
    ...schemaMember(schema),
    body,
  });
}

function parseHead(text: string): StoredDeadLetter {
  try {
    return JSON.parse(text) as StoredDeadLetter;
  } catch {
    throw new Error('it is not JSON');
  }
}

const LINE_END = 10;

/**
 * Checks a dead letter that was read. Other programs may write to the same place; after this check, the code relies
 * on it.
 * @throws Error says what is wrong, without the order's id
 */
export function requireValidDeadLetter(letter: StoredDeadLetter): StoredDeadLetter {
  const { reason, attempts, firstAtMs, lastAtMs, body } = letter;
  originOf(letter.orderId);
  if (typeof reason !== 'string') throw new Error('it has no reason');
  if (!isNatural(attempts) || attempts === 0) throw new Error('it has no number of attempts');
  if (!isTime(firstAtMs) || !isTime(lastAtMs)) throw new Error('it has no times');
  if (body.length === 0) throw new Error('it has no body');
  if (body.includes(LINE_END)) throw new Error('its body has more than one line');
  return letter;
}

/**
 * The position of the order in the frame that it was accepted in.
 * @throws Error this is not an order id
 */
function originOf(orderId: string): Refiled {
  const found = /^([\w-]{1,64})-(0|[1-9]\d{0,8})$/.exec(orderId);
  if (found === null) throw new Error('it is not an order id');
  return { origin: found[1]!, indexes: [Number(found[2])] };
}

/**
 * The frame that refiles a dead letter's order as a first attempt, due at once.
 * @param schema that the order was valid against just now
 */
export function replayFrame(letter: StoredDeadLetter, id: string, schema: string): Frame {
  return {
    id,
    count: 1,
    payload: Buffer.concat([letter.body, Buffer.from('\n')]),
    acceptedAtMs: letter.firstAtMs,
    attempt: 1,
    notBeforeMs: 0,
    refiled: originOf(letter.orderId),
    ...schemaMember(schema),
    keys: [],
  };
}

/**
 * A frame id derived from the dead letter alone, so that replaying it twice gives the same frame. An order that fails
 * again makes a new letter with another time and therefore another id.
 */
export function replayFrameId({ orderId, lastAtMs }: StoredDeadLetter): string {
  return derivedFrameId(lastAtMs, `${orderId} ${lastAtMs}`);
}
