import { type Answer, answers } from '../model/answers.js';
import type { PlacedReceipt } from '../model/receipt.js';
import type { HttpReply } from './http.js';

export type AnswerName = keyof typeof answers;

/** `Retry-After` of a 503, in seconds. A busy journal, or the queue in front of it, usually clears within about a second. */
const RETRY_AFTER_S = '1';
/** Name of the header line that says how long an idle connection is kept. */
export const KEEP_ALIVE = 'Keep-Alive: timeout=';
const CLOSE_LINE = 'Connection: close';
const JSON_LINE = 'Content-Type: application/json';
/** What browsers may read of an answer to another origin, besides what they always may. */
export const EXPOSED_HEADERS =
  'x-order-id, x-order-count, x-invalid, idempotent-replay, preference-applied, retry-after, ratelimit, ratelimit-policy';
/** Windows of all limits are a second long. */
const WINDOW_S = 1;

/** A limit that refused a request. */
export interface LimitHit {
  /** Name of the policy. */
  readonly policy: 'key' | 'server';
  /** Orders that the window admits. */
  readonly quota: number;
  /** When others can be admitted. */
  readonly waitMs: number;
}

const encoder = new TextEncoder();
const ALLOWED = encoder.encode('{"result":"allowed"}');

/** An answer as bytes: for a string, uWebSockets.js counts the bytes, allocates memory and copies them at each call. */
interface BuiltAnswer {
  /** Status line and headers, in one call: each further call costs as much as this one. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * Writes the answers. There is one of these for each set of header lines that all answers carry: `Vary`, the origin that
 * may read them, how long the connection is kept.
 *
 * Every method must run in the first segment of a route handler or inside `cork`, see uWebSockets.js. If the client does not
 * read its answers, the connection is closed instead, which calls `onAborted`: a client that sends and never reads would
 * otherwise let the answers grow without bound.
 */
export class Replies {
  #built: Readonly<Record<AnswerName, BuiltAnswer>>;
  /** Header lines of every answer, after Content-Type. */
  #lines: readonly string[];
  readonly #onUnread: () => void;
  #created: CreatedHead;
  #closing: Replies | null = null;
  /** Accepted orders until the next one whose connection is checked. */
  #untilCheck = 0;

  /**
   * @param lines header lines of every answer, such as `Vary: Origin`
   * @param onUnread called when a connection is closed because its client does not read
   */
  constructor(lines: readonly string[], onUnread: () => void) {
    this.#lines = lines;
    this.#onUnread = onUnread;
    this.#built = builtWith(lines);
    this.#created = new CreatedHead(lines);
  }

  /** The same for answers to a client that was asked not to send its body: what it sends next could be either. */
  get closing(): Replies {
    this.#closing ??= new Replies(closingLines(this.#lines), this.#onUnread);
    return this.#closing;
  }

  /** From now on all answers ask their client to close the connection, also those to requests that wait. */
  endConnections(): void {
    this.#lines = closingLines(this.#lines);
    this.#built = builtWith(this.#lines);
    this.#created = new CreatedHead(this.#lines);
  }

  send(res: HttpReply, name: AnswerName): void {
    const { head, body } = this.#built[name];
    this.#end(res.writeStatus(head), body);
  }

  /** 415, because of `Content-Encoding`. */
  codingRefused(res: HttpReply): void {
    const { head, body } = this.#built.unsupportedMediaType;
    this.#end(res.writeStatus(head).writeHeader('Accept-Encoding', 'gzip'), body);
  }

  /** An answer with a body of its own, and headers: pairs of name and value. */
  detailed(
    res: HttpReply,
    name: AnswerName,
    headers: readonly (readonly string[])[],
    body: string,
  ): void {
    res.writeStatus(this.#built[name].head);
    for (const [header, value] of headers) res.writeHeader(header!, value!);
    const bytes = encoder.encode(body);
    if (bytes.length <= SHORT_BYTES_MAX) this.#end(res, bytes);
    else endLong(res, bytes);
  }

  invalid(res: HttpReply, fault: string): void {
    const { head, body } = this.#built.invalid;
    this.#end(res.writeStatus(head).writeHeader('x-invalid', fault), body);
  }

  busy(res: HttpReply): void {
    const { head, body } = this.#built.busy;
    this.#end(res.writeStatus(head).writeHeader('Retry-After', RETRY_AFTER_S), body);
  }

  /** @param challenge how a client can show who it is (RFC 9110, 11.6.1) */
  unauthorized(res: HttpReply, challenge: 'Bearer' | 'Signature', isHead: boolean): void {
    const { head, body } = this.#built.unauthorized;
    this.#endFor(res.writeStatus(head).writeHeader('WWW-Authenticate', challenge), body, isHead);
  }

  /** The fields are those of draft-ietf-httpapi-ratelimit-headers-11, and RFC 9110, 10.2.3. */
  limited(res: HttpReply, name: 'rateLimited' | 'busy', hit: LimitHit): void {
    const { head, body } = this.#built[name];
    const waitS = Math.max(1, Math.ceil(hit.waitMs / 1000));
    res
      .writeStatus(head)
      .writeHeader('Retry-After', String(waitS))
      .writeHeader('RateLimit-Policy', `"${hit.policy}";q=${hit.quota};w=${WINDOW_S}`)
      .writeHeader('RateLimit', `"${hit.policy}";r=0;t=${waitS}`);
    this.#end(res, body);
  }

  methodNotAllowed(res: HttpReply, allow: string, isHead: boolean): void {
    const { head, body } = this.#built.methodNotAllowed;
    this.#endFor(res.writeStatus(head).writeHeader('Allow', allow), body, isHead);
  }

  notFound(res: HttpReply, isHead: boolean): void {
    const { head, body } = this.#built.notFound;
    this.#endFor(res.writeStatus(head), body, isHead);
  }

  /** The status of an order; 404 with its own body if the order is unknown. */
  receipt(res: HttpReply, id: string, receipt: PlacedReceipt, isHead: boolean): void {
    const { status, ahead, byMs } = receipt;
    const { head } = status === 'unknown' ? this.#built.notFound : this.#built.created;
    const place = ahead === null ? {} : { ahead };
    const time = byMs === null ? {} : { by: secondOf(byMs) };
    const body = encoder.encode(JSON.stringify({ id, status, ...place, ...time }));
    this.#endFor(res.writeStatus(head), body, isHead);
  }

  noReceipt(res: HttpReply, isHead: boolean): void {
    const { head, body } = this.#built.busy;
    res.writeStatus(head).writeHeader('Retry-After', RETRY_AFTER_S);
    this.#endFor(res, body, isHead);
  }

  /**
   * The answer to an accepted order. Only some are checked for whether the client reads, because that costs; a client that
   * never reads is found soon enough.
   */
  created(res: HttpReply, frameId: string, position: number): void {
    const { body } = this.#built.created;
    const writing = this.#created.write(res, frameId, position);
    if (this.#untilCheck-- > 0) {
      writing.end(body);
      return;
    }
    // At random, so that a client cannot know which of its answers are checked.
    this.#untilCheck = Math.floor(2 * CHECK_EVERY * Math.random());
    this.#end(writing, body);
  }

  /** The first answer again, with the header `idempotent-replay`. */
  replayed(res: HttpReply, frameId: string, position: number): void {
    const head = this.#created.write(res, frameId, position);
    this.#end(head.writeHeader('idempotent-replay', 'true'), this.#built.created.body);
  }

  /** 200 with a body: an answer without one cannot tell whether the client reads. */
  preflight(res: HttpReply, headers: readonly (readonly [string, string])[]): void {
    res.writeStatus(this.#built.created.head);
    for (const [name, value] of headers) res.writeHeader(name, value);
    this.#end(res, ALLOWED);
  }

  /**
   * An answer to HEAD announces the length of a body but does not carry it (RFC 9110, 9.3.2). The header is written here
   * because `endWithoutBody(length)` of uWebSockets.js waits for that body.
   */
  #endFor(res: HttpReply, body: Uint8Array, isHead: boolean): void {
    if (isHead) res.writeHeader('Content-Length', String(body.length)).endWithoutBody();
    else this.#end(res, body);
  }

  #end(res: HttpReply, body: Uint8Array): void {
    if (res.tryEnd(body, body.length)[0]) return;
    this.#onUnread();
    res.close();
  }
}

function builtWith(lines: readonly string[]): Readonly<Record<AnswerName, BuiltAnswer>> {
  const build = ({ statusLine, body }: Answer): BuiltAnswer => {
    const head = encoder.encode([statusLine, JSON_LINE, ...lines].join('\r\n'));
    return { head, body: encoder.encode(body) };
  };
  return Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [name, build(answer)]),
  ) as Record<AnswerName, BuiltAnswer>;
}

function closingLines(lines: readonly string[]): readonly string[] {
  const others = lines.filter((line) => !line.startsWith(KEEP_ALIVE) && line !== CLOSE_LINE);
  return [...others, CLOSE_LINE];
}

/** The socket of a client that reads takes so much at once: the first window of TCP has ten segments. */
const SHORT_BYTES_MAX = 8192;

/**
 * Ends a long answer: what the client has not read yet follows when it has. Meanwhile uWebSockets.js closes the connection if
 * the client sends another request, or reads nothing for 10 s. Then nobody is told, because the request counts as answered.
 */
function endLong(res: HttpReply, body: Uint8Array): void {
  if (res.tryEnd(body, body.length)[0]) return;
  res.onAborted(() => {});
  res.onWritable((sent) => res.tryEnd(body.slice(sent), body.length)[0]);
}

/** One of so many accepted orders is checked, on average: a check allocates. */
const CHECK_EVERY = 32;
/** Digits of an order's position: `--frame-orders-max` allows four. */
const DIGITS_MAX = 5;
const HYPHEN = 0x2d;
const ZERO = 0x30;

/** The head of the answers to accepted orders, which differ only in the last digits within a frame. */
class CreatedHead {
  readonly #beforeId: Uint8Array;
  /** Status line and headers by number of digits of the position, less one. */
  #heads: readonly Uint8Array[] = [];
  #frameId = '';

  constructor(lines: readonly string[]) {
    const before = [answers.created.statusLine, JSON_LINE, ...lines, 'x-order-id: '];
    this.#beforeId = encoder.encode(before.join('\r\n'));
  }

  write(res: HttpReply, frameId: string, position: number): HttpReply {
    if (frameId !== this.#frameId) this.#setFrame(frameId);
    const head = this.#heads[digitsOf(position) - 1]!;
    for (let i = head.length - 1, rest = position; head[i] !== HYPHEN; i--) {
      head[i] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    return res.writeStatus(head);
  }

  #setFrame(frameId: string): void {
    const before = this.#beforeId;
    const { length } = this.#frameId;
    this.#frameId = frameId;
    if (frameId.length !== length) this.#heads = headsFor(before, frameId.length);
    for (const head of this.#heads) {
      for (let i = 0; i < frameId.length; i++) head[before.length + i] = frameId.charCodeAt(i);
    }
  }
}

function headsFor(beforeId: Uint8Array, idChars: number): Uint8Array[] {
  return Array.from({ length: DIGITS_MAX }, (_, digits) => {
    const head = new Uint8Array(beforeId.length + idChars + 1 + digits + 1);
    head.set(beforeId);
    head[beforeId.length + idChars] = HYPHEN;
    return head;
  });
}

function digitsOf(position: number): number {
  if (position < 10) return 1;
  if (position < 100) return 2;
  if (position < 1000) return 3;
  return position < 10_000 ? 4 : DIGITS_MAX;
}

/** The nearest second, such as `2026-11-28T14:03:20Z`. */
function secondOf(epochMs: number): string {
  return new Date(Math.round(epochMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
