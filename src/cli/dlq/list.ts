import type { StoredDeadLetter } from '../../model/dead-letters.js';
import { EXIT } from '../../model/fault.js';
import { headersIn, type KeptHeaders, orderIn } from '../../model/kept-headers.js';
import type { ListRequest, ShowRequest } from './arguments.js';
import { type DlqContext, selected } from './select.js';

/** Dead letters per write to stdout. */
const GROUP_MAX = 100;

/** @returns the exit code */
export async function list(context: DlqContext, request: ListRequest): Promise<number> {
  const { selection, limit, json } = request;
  let shown = 0;
  let more = false;
  /** By the first page: the columns of all rows are below each other. */
  let widths: Widths | null = null;
  for await (const { letters } of selected(context.store, selection, GROUP_MAX)) {
    if (context.stop.aborted) break;
    const page = letters.slice(0, limit - shown);
    if (page.length > 0) {
      widths ??= widthsFor(page, context.columns);
      const head = shown === 0 && !json ? [tableHead(widths)] : [];
      const rows = page.map(json ? letterJson : rowsOf(widths));
      await context.print(`${[...head, ...rows].join('\n')}\n`);
    }
    shown += page.length;
    more = page.length < letters.length;
    if (more) break;
  }
  if (!json) await context.print(`${listEnd(shown, more)}\n`);
  return EXIT.ok;
}

/** @returns the exit code */
export async function show(context: DlqContext, { orderId, json }: ShowRequest): Promise<number> {
  const letter = await context.store.find(orderId);
  if (letter === null) {
    context.note(`no dead letter ${printable(orderId)}`);
    return EXIT.failed;
  }
  if (json) {
    await context.print(`${letterJson(letter)}\n`);
  } else {
    await context.print(`${letterFacts(letter)}\n`);
    await context.print(Buffer.concat([orderIn(letter.body), Buffer.from('\n')]));
  }
  return EXIT.ok;
}

function listEnd(shown: number, more: boolean): string {
  if (shown === 0) return 'no dead letters';
  const letters = shown === 1 ? '1 dead letter' : `${shown} dead letters`;
  return more ? `${letters} shown, there are more` : letters;
}

const ID_COLUMNS = 31;
/** The reason column is never narrower. */
const REASON_COLUMNS_MIN = 32;
const ATTEMPTS_COLUMNS = 8;
const SCHEMA_COLUMNS = 16;
const TIME_COLUMNS = 24;
const GAPS = 6 * 2;
/** The body column is never narrower, whatever the terminal. */
const BODY_COLUMNS_MIN = 20;

/** A schema that an earlier version did not note. */
const UNKNOWN = 'unknown';

const strict = new TextDecoder('utf-8', { fatal: true });

/** Columns of the cells whose width depends on the terminal. */
interface Widths {
  readonly reason: number;
  readonly body: number;
}

/** A wide terminal shows whole reasons; the body gets the rest, because `dlq show` prints it. */
function widthsFor(letters: readonly StoredDeadLetter[], columns: number): Widths {
  const facts = ATTEMPTS_COLUMNS + 2 * TIME_COLUMNS + SCHEMA_COLUMNS;
  const room = columns - ID_COLUMNS - facts - GAPS;
  const longest = Math.max(...letters.map(({ reason }) => [...printable(reason)].length));
  const reasonMax = Math.max(REASON_COLUMNS_MIN, room - BODY_COLUMNS_MIN);
  const reason = Math.min(reasonMax, Math.max(REASON_COLUMNS_MIN, longest));
  return { reason, body: Math.max(BODY_COLUMNS_MIN, room - reason) };
}

/** The heading above the rows of `letterRow`. */
function tableHead(widths: Widths): string {
  return row(['id', 'reason', 'attempts', 'first', 'last', 'schema', 'body'], widths);
}

function letterRow(letter: StoredDeadLetter, widths: Widths): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, schema, body } = letter;
  const cells = [
    printable(orderId),
    clipped(reason, widths.reason),
    String(attempts),
    iso(firstAtMs),
    iso(lastAtMs),
    schema ?? UNKNOWN,
    clipped(Buffer.from(orderIn(body)).toString('utf8'), widths.body),
  ];
  return row(cells, widths);
}

function rowsOf(widths: Widths): (letter: StoredDeadLetter) => string {
  return (letter) => letterRow(letter, widths);
}

/** Everything but the body, one fact per line. */
function letterFacts(letter: StoredDeadLetter): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, schema, body } = letter;
  return [
    `id        ${printable(orderId)}`,
    `reason    ${printable(reason)}`,
    `attempts  ${attempts}`,
    `first     ${iso(firstAtMs)}`,
    `last      ${iso(lastAtMs)}`,
    `schema    ${schema ?? UNKNOWN}`,
    ...keptFacts(body),
    `body      ${orderIn(body).length} bytes, as accepted:`,
  ].join('\n');
}

/** One JSON object; the body is text, or base64 when its bytes are not UTF-8. */
function letterJson(letter: StoredDeadLetter): string {
  const { orderId, reason, attempts, firstAtMs, lastAtMs, schema, body } = letter;
  return JSON.stringify({
    id: orderId,
    reason,
    attempts,
    firstAt: iso(firstAtMs),
    lastAt: iso(lastAtMs),
    // Undefined is left out.
    schema,
    ...headersMember(body),
    ...bodyMember(orderIn(body)),
  });
}

/** The kept headers; nothing if the order has none. */
function keptFacts(line: Uint8Array): string[] {
  const { headers } = headersMember(line);
  return headers === undefined ? [] : [`headers   ${printable(JSON.stringify(headers))}`];
}

function headersMember(line: Uint8Array): { headers?: KeptHeaders | string } {
  if (orderIn(line).length === line.length) return {};
  try {
    return { headers: headersIn(line) };
  } catch {
    return { headers: 'unreadable' };
  }
}

function bodyMember(body: Uint8Array): { body: string } | { bodyBase64: string } {
  try {
    return { body: strict.decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}

function row(
  [id, reason, attempts, first, last, schema, body]: readonly string[],
  widths: Widths,
): string {
  return [
    id!.padEnd(ID_COLUMNS),
    reason!.padEnd(widths.reason),
    attempts!.padStart(ATTEMPTS_COLUMNS),
    first!.padEnd(TIME_COLUMNS),
    last!.padEnd(TIME_COLUMNS),
    schema!.padEnd(SCHEMA_COLUMNS),
    body,
  ].join('  ');
}

function clipped(text: string, columns: number): string {
  const characters = [...printable(text)];
  if (characters.length <= columns) return characters.join('');
  return `${characters.slice(0, columns - 1).join('')}…`;
}

/** Replaces control characters, which could control the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** ISO 8601; a stored time may be out of the range of Date. */
function iso(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? `${epochMs} ms` : date.toISOString();
}
