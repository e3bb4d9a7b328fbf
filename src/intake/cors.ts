import type { HeaderName, HttpReply, RequestHead } from './http.js';
import { EXPOSED_HEADERS, type Replies } from './reply.js';

/** Every origin. */
const ANY_ORIGIN = '*';
/** How long a browser may remember a preflight. Browsers have limits of their own: Chromium 2 hours. */
const MAX_AGE_S = '7200';
const ALLOWED_HEADERS = ['content-type', 'content-encoding', 'idempotency-key', 'prefer'];

export interface CorsParts {
  /** Origins as browsers send them, or `*` alone; none: no web page of another origin may use the server. */
  readonly origins: readonly string[];
  /** Headers that a request may have besides the usual ones; in lower case. */
  readonly headers: readonly string[];
  readonly headerName: (name: string) => HeaderName;
  /** Makes the replies that carry these header lines. */
  readonly replies: (lines: readonly string[]) => Replies;
}

/** Which replies a request gets: those that its origin may read, or those for everybody else. */
export type RepliesTo = (head: RequestHead) => Replies;

/** Cross-origin requests: which web pages may send orders and read the answers. See the Fetch standard, section 3.3. */
export class Cors {
  readonly #origin: HeaderName;
  readonly #requestMethod: HeaderName;
  readonly #allowedHeaders: string;
  readonly #byOrigin: ReadonlyMap<string, Replies>;
  /** Replies to requests without an origin, or from one that is not allowed. */
  readonly others: Replies;
  /** Chosen once: without origins a request does not pay for this. */
  readonly repliesTo: RepliesTo;

  constructor({ origins, headers, headerName, replies }: CorsParts) {
    this.#allowedHeaders = [...new Set([...ALLOWED_HEADERS, ...headers])].join(', ');
    this.#origin = headerName('origin');
    this.#requestMethod = headerName('access-control-request-method');
    const readable = (origin: string) => [
      `Access-Control-Allow-Origin: ${origin}`,
      `Access-Control-Expose-Headers: ${EXPOSED_HEADERS}`,
    ];
    // A cache must not give one origin the answer that another may read.
    const vary = 'Vary: Origin';
    this.#byOrigin = new Map(
      origins.map((origin) => [origin, replies([vary, ...readable(origin)])]),
    );
    const isForAll = origins.includes(ANY_ORIGIN);
    const others = replies(isForAll ? readable(ANY_ORIGIN) : origins.length > 0 ? [vary] : []);
    this.others = others;
    this.repliesTo =
      isForAll || origins.length === 0
        ? () => others
        : (head) => this.#byOrigin.get(head.getHeader(this.#origin)) ?? others;
  }

  /** From now on all answers ask their client to close the connection. */
  endConnections(): void {
    for (const replies of [this.others, ...this.#byOrigin.values()]) replies.endConnections();
  }

  /** Whether a request is a preflight from an origin that is allowed. */
  isPreflight(head: RequestHead): boolean {
    const origin = head.getHeader(this.#origin);
    if (origin === '' || head.getHeader(this.#requestMethod) === '') return false;
    return this.#byOrigin.has(origin) || this.#byOrigin.has(ANY_ORIGIN);
  }

  /** @param methods of the path, separated by commas */
  answerPreflight(res: HttpReply, head: RequestHead, methods: string): void {
    this.repliesTo(head).preflight(res, [
      ['Access-Control-Allow-Methods', methods],
      ['Access-Control-Allow-Headers', this.#allowedHeaders],
      ['Access-Control-Max-Age', MAX_AGE_S],
    ]);
  }
}
