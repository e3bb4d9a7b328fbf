import { it } from 'node:test';
import { fuzzOrders } from './orders-fuzz.js';

const ROUNDS = 25;
const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);

it(`orders damaged at random are processed unchanged or reported (seed ${seed})`, async () => {
  await fuzzOrders(ROUNDS, seed);
});
