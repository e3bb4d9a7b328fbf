import type { KeptDeadLetter } from '../../model/dead-letters.js';

const ID_COLUMNS = 31;
const REASON_COLUMNS = 32;
const ATTEMPTS_COLUMNS = 8;
const TIME_COLUMNS = 24;
const GAPS = 5 * 2;
/** So much of the body at least, however narrow the terminal. */
const BODY_COLUMNS_MIN = 20;

const strict = new TextDecoder('utf-8', { fatal: true });

/** The heading of the table that `letterRow` makes rows of. */
export function tableHead(): string {
  return row(['id', 'reason', 'attempts', 'first', 'last', 'body']);
}

export function letterRow(letter: KeptDeadLetter, columns: number): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, body } = letter;
  const taken = ID_COLUMNS + REASON_COLUMNS + ATTEMPTS_COLUMNS + 2 * TIME_COLUMNS + GAPS;
  return row([
    harmless(orderId),
    clipped(reason, REASON_COLUMNS),
    String(attempts),
    iso(firstAtMs),
    iso(lastAtMs),
    clipped(Buffer.from(body).toString('utf8'), Math.max(BODY_COLUMNS_MIN, columns - taken)),
  ]);
}

/** All but the body, a line each. */
export function letterFacts(letter: KeptDeadLetter): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, body } = letter;
  return [
    `id        ${harmless(orderId)}`,
    `reason    ${harmless(reason)}`,
    `attempts  ${attempts}`,
    `first     ${iso(firstAtMs)}`,
    `last      ${iso(lastAtMs)}`,
    `body      ${body.length} bytes, as they were accepted:`,
  ].join('\n');
}

/** One object; the body as a text, or in base64 where its bytes are none. */
export function letterJson(letter: KeptDeadLetter): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, body } = letter;
  return JSON.stringify({
    id: orderId,
    reason,
    attempts,
    firstAt: iso(firstAtMs),
    lastAt: iso(lastAtMs),
    ...bodyMember(body),
  });
}

function bodyMember(body: Uint8Array): { body: string } | { bodyBase64: string } {
  try {
    return { body: strict.decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}

function row([id, reason, attempts, first, last, body]: readonly string[]): string {
  return [
    id!.padEnd(ID_COLUMNS),
    reason!.padEnd(REASON_COLUMNS),
    attempts!.padStart(ATTEMPTS_COLUMNS),
    first!.padEnd(TIME_COLUMNS),
    last!.padEnd(TIME_COLUMNS),
    body,
  ].join('  ');
}

function clipped(text: string, columns: number): string {
  const characters = [...harmless(text)];
  if (characters.length <= columns) return characters.join('');
  return `${characters.slice(0, columns - 1).join('')}…`;
}

/** Control characters could steer the terminal. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** Times from outside may lie beyond what a date can hold. */
function iso(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? `${epochMs} ms` : date.toISOString();
}
