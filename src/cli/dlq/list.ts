import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT } from '../../model/fault.js';
import type { ListRequest, ShowRequest } from './arguments.js';
import { type DlqContext, selected } from './select.js';

/** Letters printed at once. */
const GROUP_MAX = 100;

/** @returns the exit code */
export async function list(context: DlqContext, request: ListRequest): Promise<number> {
  const { selection, limit, json } = request;
  let shown = 0;
  let more = false;
  for await (const { letters } of selected(context.store, selection, GROUP_MAX)) {
    if (context.stop.aborted) break;
    const some = letters.slice(0, limit - shown);
    if (some.length > 0) {
      const head = shown === 0 && !json ? [tableHead()] : [];
      const rows = some.map((one) => (json ? letterJson(one) : letterRow(one, context.columns)));
      await context.print(`${[...head, ...rows].join('\n')}\n`);
    }
    shown += some.length;
    more = some.length < letters.length;
    if (more) break;
  }
  if (!json) await context.print(`${listEnd(shown, more)}\n`);
  return EXIT.ok;
}

/** @returns the exit code */
export async function show(context: DlqContext, { orderId, json }: ShowRequest): Promise<number> {
  const letter = await context.store.find(orderId);
  if (letter === null) {
    context.note(`no dead letter ${harmless(orderId)}`);
    return EXIT.failed;
  }
  if (json) {
    await context.print(`${letterJson(letter)}\n`);
  } else {
    await context.print(`${letterFacts(letter)}\n`);
    await context.print(Buffer.concat([letter.body, Buffer.from('\n')]));
  }
  return EXIT.ok;
}

function listEnd(shown: number, more: boolean): string {
  if (shown === 0) return 'no dead letters';
  const letters = shown === 1 ? '1 dead letter' : `${shown} dead letters`;
  return more ? `${letters}, and there are more` : letters;
}

const ID_COLUMNS = 31;
const REASON_COLUMNS = 32;
const ATTEMPTS_COLUMNS = 8;
const TIME_COLUMNS = 24;
const GAPS = 5 * 2;
/** So much of the body at least, however narrow the terminal. */
const BODY_COLUMNS_MIN = 20;

const strict = new TextDecoder('utf-8', { fatal: true });

/** The heading of the table that `letterRow` makes rows of. */
function tableHead(): string {
  return row(['id', 'reason', 'attempts', 'first', 'last', 'body']);
}

function letterRow(letter: StoredDeadLetter, columns: number): string {
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
function letterFacts(letter: StoredDeadLetter): string {
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
function letterJson(letter: StoredDeadLetter): string {
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
