/** What became of an order, as `GET {path}/{id}` answers it. */
export type Receipt = 'accepted' | 'done' | 'dead' | 'unknown';

/** A receipt with the place of the order in line. */
export interface PlacedReceipt {
  readonly status: Receipt;
  /** Orders before it; null where that cannot be known. */
  readonly ahead: number | null;
  /** When it is due at the present rate and schedule, epoch milliseconds; null where that cannot be known. */
  readonly byMs: number | null;
}

/** A frame id, a hyphen, and the index of the order in the frame: 0 to 9999 without leading zeros. */
const ORDER_ID = /^([0-9A-HJKMNP-TV-Z]{26})-(0|[1-9][0-9]{0,3})$/;

export interface OrderPlace {
  readonly frameId: string;
  readonly index: number;
}

/** Null when the text is not an order id. */
export function parseOrderId(text: string): OrderPlace | null {
  const match = ORDER_ID.exec(text);
  return match === null ? null : { frameId: match[1]!, index: Number(match[2]) };
}

/** Looks up the status of orders. One per thread. */
export interface ReceiptLookup {
  /**
   * `onReceipt` is called once, later; with null if no answer came in time. Returns false, and does not call it, if too
   * many lookups are pending.
   */
  lookUp(place: OrderPlace, onReceipt: (receipt: PlacedReceipt | null) => void): boolean;
}

/** A lookup as an intake thread sends it to the drain thread. */
export interface ReceiptQuery extends OrderPlace {
  /** Number of the query within its thread. */
  readonly sequence: number;
}

export interface ReceiptReply {
  readonly sequence: number;
  /** Null if the journal could not answer. */
  readonly receipt: PlacedReceipt | null;
}
