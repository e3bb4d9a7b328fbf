import { fileURLToPath } from 'node:url';
import { countInstructions } from './guard/instructions.js';
import { postOrders } from './post-orders.js';

/** Past the point where V8 has compiled the path. */
const ORDERS = 20_000;

/**
 * Instructions in user space that a server's process executes for an order, start and compilation left out: the
 * difference of two runs of which one gets twice as many orders.
 *
 * @param program in bench/servers; says where it listens
 */
export async function instructionsAnOrder(valgrind: string, program: string): Promise<number> {
  const file = fileURLToPath(new URL(`./servers/${program}.js`, import.meta.url));
  const [once, twice] = await Promise.all(
    [ORDERS, 2 * ORDERS].map((orders) =>
      countInstructions(valgrind, [file], (url) => postOrders(url, orders)),
    ),
  );
  return (twice! - once!) / ORDERS;
}
