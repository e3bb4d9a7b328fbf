import { Random } from '../schema/random.js';

/** An order of the load: its sequence number leads its username, so that whoever processes it can tell. */
export interface FaultOrder {
  readonly product: string;
  readonly count: string;
  readonly username: string;
}

/** Behind the number: plain names take the scanner's fast path, the others its slow one. */
const NAMES = [
  'anna',
  'maksim.konovalov',
  'Jürgen Weiß',
  '山田 太郎',
  'say "hi"',
  'a/b\\c',
] as const;

/** What the load posts as number `sequence` of the run `seed`: the same for ever. */
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
