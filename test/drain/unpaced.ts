import type { Pacer } from '../../src/drain/pace.js';
import type { Grant } from '../../src/drain/slot-window.js';

/** No limit. */
export const unpaced: Pacer = {
  isBinding: false,
  refuses: false,
  take: grantOf,
  waitMs: () => 0,
  admit: async (orders) => grantOf(orders),
};

export function grantOf(orders: number): Grant {
  return { orders, epoch: 0, giveBack: () => {}, sent: () => {}, ended: () => {} };
}
