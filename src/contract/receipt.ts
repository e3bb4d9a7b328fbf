/** What became of an order, as `GET /orders/{id}` answers it. */
export const RECEIPTS = ['accepted', 'done', 'dead', 'unknown'] as const;
export type Receipt = (typeof RECEIPTS)[number];
