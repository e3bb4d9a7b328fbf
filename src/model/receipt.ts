/** What became of an order, as `GET /orders/{id}` answers it. */
export type Receipt = 'accepted' | 'done' | 'dead' | 'unknown';

/** A frame id, a hyphen, the order's index in the frame: 0 to 9999 without leading zeros. */
const ORDER_ID = /^([0-9A-HJKMNP-TV-Z]{26})-(0|[1-9][0-9]{0,3})$/;

export interface OrderPlace {
  readonly frameId: string;
  readonly index: number;
}

/** Null when it is not the form of an order id: no order has it. */
export function parseOrderId(text: string): OrderPlace | null {
  const match = ORDER_ID.exec(text);
  return match === null ? null : { frameId: match[1]!, index: Number(match[2]) };
}

/** Finds out what became of orders. One a thread. */
export interface ReceiptLookup {
  /**
   * `onReceipt` is called once, later: with null when nobody could say in time. False, and it is never
   * called, when too many questions are open.
   */
  ask(place: OrderPlace, onReceipt: (receipt: Receipt | null) => void): boolean;
}

/** What became of an order? */
export interface ReceiptQuestion extends OrderPlace {
  /** The thread's own number for the question. */
  readonly sequence: number;
}

export interface ReceiptAnswer {
  readonly sequence: number;
  /** Null when the journal could not say. */
  readonly receipt: Receipt | null;
}
