/** One order as the client posts it. The rules stand in `orderSchema`. */
export interface OrderData {
  readonly product_id: string;
  readonly count: string;
  readonly username: string;
}

export const USERNAME_CODE_POINTS_MAX = 64;

/**
 * JSON Schema of an order body: the single source of the rules. The byte scanner, the ajv path and
 * the reference that fuzzing compares both with are all held against it.
 *
 * `product_id`, `count`: decimal strings "0" to "100", no sign, no leading zeros.
 * `username`: 1 to 64 code points, no control characters (C0, DEL, C1), no lone surrogates
 * (the pattern runs with the `u` flag, under which a lone surrogate is not in `\p{Cs}`'s complement).
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

/** An order as a handler gets it. */
export interface Order {
  /** The frame's id, a hyphen, the order's index in it: also the `x-order-id` the client was given. */
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Epoch milliseconds at which the first order of its frame was accepted. */
  readonly acceptedAt: number;
  readonly data: OrderData;
}

/** What became of one order: processed; to be tried again; failed for good. */
export type Outcome = 'done' | 'retry' | 'dead';

export interface HandlerContext {
  /** Attempts after which an order that still fails is a dead letter. */
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
 * The user's function. Returning nothing means that every order is done; otherwise one outcome an
 * order, in the same order. Throwing means that none of the batch counts as done. What then happens
 * is told by what is thrown, see `ThrownByHandler`.
 */
export type Handler = (
  orders: readonly Order[],
  context: HandlerContext,
) => Promise<void | readonly Outcome[]> | void | readonly Outcome[];

/** Anything may be thrown; these two members of it, where they are `true`, say more. */
export interface ThrownByHandler {
  /**
   * What the handler works for, a database say, is away, for all orders alike. Nothing counts as an
   * attempt: after a pause, which grows from 100 ms to 5 s, the same batch is run again, and meanwhile all
   * others of the pool wait too. `/readyz` says why. In direct mode the clients get 503.
   */
  readonly pause?: boolean;
  /**
   * Trying again is of no use. As with any other throw, the batch is run again in halves until the
   * culprit stands alone; then it is a dead letter at once, with the message as its reason, where it
   * would be tried again otherwise.
   */
  readonly dead?: boolean;
}

/** The module that `--handler` names. */
export interface HandlerModule {
  readonly default: Handler;
  /**
   * Called once at the start, in one pool thread. When it throws, Forebay does not start, and says the
   * message; unless what is thrown has `pause: true`: then the orders are taken, and wait.
   */
  readonly prepare?: (context: HandlerContext) => Promise<void> | void;
  /**
   * Called by `forebay check`, and by nothing else: looks whether `prepare` would succeed, and must change
   * nothing. Says in one line what it found; throws as `prepare` does.
   */
  readonly check?: (context: HandlerContext) => Promise<string> | string;
}
