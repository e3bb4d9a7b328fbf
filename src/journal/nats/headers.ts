import { headers, type MsgHdrs } from '@nats-io/transport-node';
import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { type Frame, type KeyedOrder, schemaMember } from '../../model/frame.js';
import { requireValidDeadLetter } from '../frame/dead-letter.js';
import { requireConsistentFrame } from '../frame/record.js';
import type { AckableMessage } from './message.js';
import type { JetStreamNames } from './names.js';
import type { Publication } from './publisher.js';
import { requireSum, setSum, sumOf } from './sum.js';

/**
 * Before the count of a frame that has a checksum: a frame whose checksum header was damaged must not pass for one of an
 * earlier version, which had none. As a number, the count is the same.
 */
const SUMMED = '0';

const ID = 'Nats-Msg-Id';
const COUNT = 'Forebay-Count';
const ACCEPTED_MS = 'Forebay-Accepted-Ms';
const ATTEMPT = 'Forebay-Attempt';
const NOT_BEFORE_MS = 'Forebay-Not-Before-Ms';
const ORIGIN = 'Forebay-Origin';
const INDEXES = 'Forebay-Indexes';
const CRASHES = 'Forebay-Crashes';
const SCHEMA = 'Forebay-Schema';
const KEYS = 'Forebay-Keys';
const ORDER_ID = 'Forebay-Order-Id';
const REASON = 'Forebay-Reason';
const LAST_MS = 'Forebay-Last-Ms';

/** The headers of a frame's message; the payload is its NDJSON. */
export function frameHeaders(frame: Frame): MsgHdrs {
  const out = headers();
  out.set(ID, frame.id);
  out.set(COUNT, SUMMED + String(frame.count));
  out.set(ACCEPTED_MS, String(frame.acceptedAtMs));
  if (frame.attempt !== 1) out.set(ATTEMPT, String(frame.attempt));
  if (frame.notBeforeMs !== 0) out.set(NOT_BEFORE_MS, String(frame.notBeforeMs));
  if (frame.refiled !== null) {
    out.set(ORIGIN, frame.refiled.origin);
    out.set(INDEXES, frame.refiled.indexes.join(','));
  }
  if (frame.crashes !== undefined) out.set(CRASHES, String(frame.crashes));
  if (frame.keys.length > 0) out.set(KEYS, keysText(frame.keys));
  setSchema(out, frame.id, frame.schema);
  setSum(out, frameFields(frame), frame.payload);
  return out;
}

function frameFields({ id, count, acceptedAtMs, attempt, notBeforeMs, refiled, keys }: Frame) {
  const origin = refiled === null ? [] : [refiled.origin, refiled.indexes.join(',')];
  return [id, count, acceptedAtMs, attempt, notBeforeMs, ...origin, keysText(keys)];
}

/**
 * The digest of the schema has a checksum of its own, with the id that it belongs to: earlier versions share the stream, and
 * compare the sum of the fields that they know. A digest that is not as it was written counts as unknown, because its orders
 * are sound.
 */
function setSchema(out: MsgHdrs, id: string, schema: string | undefined): void {
  if (schema !== undefined) out.set(SCHEMA, `${schema} ${sumOf([id, schema])}`);
}

function readSchema(found: MsgHdrs, id: string): { readonly schema?: string } {
  const [schema = '', sum] = found.get(SCHEMA).split(' ');
  return sum === sumOf([id, schema]) ? schemaMember(schema) : {};
}

/** The message of a frame, fresh or refiled. */
export function framePublication(names: JetStreamNames, frame: Frame): Publication {
  return {
    stream: names.stream,
    subject: frame.refiled === null ? names.freshSubject : names.retrySubject,
    payload: frame.payload,
    headers: frameHeaders(frame),
  };
}

/**
 * @throws Error the message was not written by an appender, or is not as it was written
 */
export function readFrame(
  message: Pick<AckableMessage, 'headers' | 'payload' | 'seq' | 'subject'>,
): Frame {
  const found = message.headers;
  const id = found?.get(ID) ?? '';
  const count = Number(found?.get(COUNT));
  if (found === undefined || !isFrameId(id) || !(count > 0)) {
    throw new Error(`message ${message.seq} on ${message.subject} is not a frame`);
  }
  const origin = found.get(ORIGIN);
  if (origin !== '' && !isFrameId(origin)) throw new Error(`frame ${id} has an invalid origin`);
  const frame = requireConsistentFrame({
    id,
    count,
    payload: message.payload,
    acceptedAtMs: Number(found.get(ACCEPTED_MS)),
    attempt: Number(found.get(ATTEMPT) || 1),
    notBeforeMs: Number(found.get(NOT_BEFORE_MS)),
    refiled: origin === '' ? null : { origin, indexes: found.get(INDEXES).split(',').map(Number) },
    ...(found.get(CRASHES) === '' ? {} : { crashes: Number(found.get(CRASHES)) }),
    ...readSchema(found, id),
    keys: readKeys(found),
  });
  try {
    const isSummed = found.get(COUNT).startsWith(SUMMED);
    requireSum(found, frameFields(frame), frame.payload, isSummed);
  } catch (error) {
    throw new Error(`frame ${id}: ${(error as Error).message}`);
  }
  return frame;
}

/** Order ids begin with the frame id and are part of subjects, so no character may have a meaning there. */
function isFrameId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}

/** What the headers alone tell about a frame. */
export function storedFrame(found: MsgHdrs) {
  return {
    frameId: found.get(ID),
    count: Number(found.get(COUNT)),
    acceptedAtMs: Number(found.get(ACCEPTED_MS)),
  };
}

/** Position, digest and key in turn, separated by spaces, which no key contains. */
function keysText(keys: readonly KeyedOrder[]): string {
  return keys.map(({ position, digest, key }) => `${position} ${digest} ${key}`).join(' ');
}

/** Words that are missing, or that are no numbers, make an invalid key. */
function readKeys(found: MsgHdrs): KeyedOrder[] {
  const text = found.get(KEYS);
  const words = text === '' ? [] : text.split(' ');
  const keys: KeyedOrder[] = [];
  for (let i = 0; i < words.length; i += 3) {
    keys.push({ position: Number(words[i]), digest: words[i + 1]!, key: words[i + 2]! });
  }
  return keys;
}

/** The message of a dead letter; the payload is the compact order. */
export function deadLetterPublication(
  names: JetStreamNames,
  letter: StoredDeadLetter,
  messageId: string,
): Publication {
  return {
    stream: names.deadStream,
    subject: names.deadSubject(letter.orderId),
    payload: letter.body,
    headers: deadLetterHeaders(letter, messageId),
  };
}

function deadLetterHeaders(letter: StoredDeadLetter, messageId: string): MsgHdrs {
  const out = headers();
  out.set(ID, messageId);
  out.set(ORDER_ID, letter.orderId);
  out.set(REASON, headerText(letter.reason));
  out.set(ATTEMPT, String(letter.attempts));
  out.set(ACCEPTED_MS, String(letter.firstAtMs));
  out.set(LAST_MS, String(letter.lastAtMs));
  setSchema(out, letter.orderId, letter.schema);
  setSum(out, letterFields(letter), letter.body);
  return out;
}

function letterFields({ orderId, reason, attempts, firstAtMs, lastAtMs }: StoredDeadLetter) {
  return [orderId, headerText(reason), attempts, firstAtMs, lastAtMs];
}

/** @throws Error the message is not a valid dead letter; the error does not name it */
export function readDeadLetter(
  orderId: string,
  found: MsgHdrs | undefined,
  body: Uint8Array,
): StoredDeadLetter {
  if (found?.get(ORDER_ID) !== orderId) throw new Error('its header does not name its order');
  const letter = requireValidDeadLetter({
    orderId,
    reason: found.get(REASON),
    attempts: Number(found.get(ATTEMPT)),
    firstAtMs: Number(found.get(ACCEPTED_MS)),
    lastAtMs: Number(found.get(LAST_MS)),
    ...readSchema(found, orderId),
    body,
  });
  requireSum(found, letterFields(letter), body);
  return letter;
}

/** A header is a single line: line ends and other control characters become spaces. */
function headerText(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').trim();
}
