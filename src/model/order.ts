/** One order as the client posts it; see `orderSchema`. */
export interface OrderData {
  readonly product_id: string;
  readonly count: string;
  readonly username: string;
}

const USERNAME_CODE_POINTS_MAX = 64;

/**
 * JSON Schema of an order. The byte scanner and the judge are tested against it.
 *
 * `product_id`, `count`: decimal strings "0" to "100", no sign, no leading zeros.
 * `username`: 1 to 64 code points, no control characters (C0, DEL, C1), no lone surrogates
 * (the pattern runs with the `u` flag, with which `[^\p{Cs}]` does not match a lone surrogate).
 */
export const orderSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['product_id', 'count', 'username'],
  properties: {
    product_id: { type: 'string', pattern: '^(?:0|[1-9][0-9]?|100)$' },
    count: { type: 'string', pattern: '^(?:0|[1-9][0-9]?|100)$' },
    username: {
      type: 'string',
      minLength: 1,
      maxLength: USERNAME_CODE_POINTS_MAX,
      pattern: '^[^\\p{Cc}\\p{Cs}]*$',
    },
  },
} as const;

/** An order, as the handler gets it. With `--schema`, `Data` is what the schema describes: see `forebay types`. */
export interface Order<Data = OrderData> {
  /** The id that the client got as `x-order-id`: frame id, hyphen, index in the frame. */
  readonly id: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** When the first order of its frame was accepted; epoch milliseconds. */
  readonly acceptedAt: number;
  readonly data: Data;
  /** `data` as compact JSON with the spelling of the client, for numbers that JavaScript cannot hold. */
  readonly json: string;
  /** The headers of `--keep-headers` that the request had, with names in lower case; empty without the option. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The result of one order: processed, retry later, or failed for good. */
export type Outcome = 'done' | 'retry' | 'dead';

/** An outcome with more about it. */
export interface DetailedOutcome {
  readonly outcome: Outcome;
  /**
   * Why, in one line of up to 500 characters. It is kept in the dead letter, and shown in log and metrics without the
   * values that stand in the order.
   */
  readonly reason?: string;
  /** For `retry`: the order is tried again after so many milliseconds, up to `--retry-ms-max`, instead of after the usual delay. */
  readonly retryAfterMs?: number;
}

export interface HandlerContext {
  /** Attempts after which a failing order becomes a dead letter. */
  readonly attemptsMax: number;
  /** The options that a handler may read. */
  readonly options: HandlerOptions;
}

export interface HandlerOptions {
  /** `--work-ms`, for `simulate`. */
  readonly workMs: number;
  /** `--error-rate`, for `simulate`. */
  readonly errorRate: number;
}

/**
 * The function that processes orders. It returns nothing when all orders are done, or one outcome per order, in the
 * same sequence. When it throws, no order of the batch counts as done; see `ThrownByHandler`.
 */
export type Handler<Data = OrderData> = (
  orders: readonly Order<Data>[],
  context: HandlerContext,
) => Promise<void | Outcomes> | void | Outcomes;

type Outcomes = readonly (Outcome | DetailedOutcome)[];

/** A handler may throw anything. These members of what it throws have a meaning. */
export interface ThrownByHandler {
  /**
   * A service that the handler needs, such as a database, is unavailable for all orders. The attempt does not count:
   * the same batch is run again after a pause that grows from 100 ms to 5 s, and all other batches wait. `/readyz`
   * shows the message. In direct mode the clients get 503.
   */
  readonly pause?: boolean;
  /**
   * The same, with a pause of so many milliseconds, from 100 ms to a day: for a service that says when to come back, such
   * as by `Retry-After`. `pause` need not be set.
   */
  readonly retryAfterMs?: number;
  /**
   * A retry is useless. As with any other error, the batch is split in halves and run again until the failing order is
   * alone; then that order becomes a dead letter at once, with the message as its reason, instead of being retried.
   */
  readonly dead?: boolean;
}

/** The module given by `--handler`. */
export interface HandlerModule<Data = OrderData> {
  readonly default: Handler<Data>;
  /**
   * Called once at the start, in one pool thread. When it throws, Forebay prints the message and does not start. With
   * `pause: true` it starts, and orders wait.
   */
  readonly prepare?: (context: HandlerContext) => Promise<void> | void;
  /**
   * Called by `forebay check` only: tests whether `prepare` would succeed, without changing anything. Returns one line
   * with the result; throws as `prepare` does.
   */
  readonly check?: (context: HandlerContext) => Promise<string> | string;
}
