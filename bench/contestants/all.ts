import { bare } from './bare.js';
import type { Contestant } from './contestant.js';
import { forebay } from './forebay.js';
import { others } from './others.js';

/** In the order in which they take turns and stand in the tables; the yardstick is the first. */
export const contestants: readonly Contestant[] = [...bare, ...forebay, ...others];
