import { Random } from './random.js';

/** An order of the load. Its username begins with its sequence number, which identifies it in the handler. */
export interface FaultOrder {
  readonly product: string;
  readonly count: string;
  readonly username: string;
}

/** The rest of the username: plain names take the fast path of validation, others the slow one. */
const NAMES = [
  'anna',
  'maksim.konovalov',
  'Jürgen Weiß',
  '山田 太郎',
  'say "hi"',
  'a/b\\c',
] as const;

/** Order number `sequence` of the run `seed`; always the same. */
export function faultOrder(seed: number, sequence: number): FaultOrder {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(sequence + 1, 0x85ebca6b));
  return {
    product: String(random.below(101)),
    count: String(random.below(101)),
    username: `${sequence} ${random.pick(NAMES)}`,
  };
}

export function faultBody({ product, count, username }: FaultOrder): string {
  return JSON.stringify({ product_id: product, count, username });
}
