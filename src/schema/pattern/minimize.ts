import { type Automaton, DEAD, SINK } from './automaton.js';
import type { WorkBudget } from './budget.js';

/**
 * The smallest automaton of the same language, in O(m log n) for m transitions and n states: A. Valmari, "Fast brief practical
 * DFA minimization", Information Processing Letters 112 (2012). Transitions to states that no text leads to acceptance from are
 * left out, so DEAD needs no place.
 *
 * @param size how many classes the alphabet has
 */
export function minimize(automaton: Automaton, size: number, budget: WorkBudget): Automaton {
  const isLive = findLive(automaton, size, budget);
  const tails: number[] = [];
  const heads: number[] = [];
  /** Where the transitions of each class begin. */
  const cuts: number[] = [];
  for (let at = 0; at < size; at += 1) {
    cuts.push(tails.length);
    for (let state = SINK; state < automaton.stateCount; state += 1) {
      const target = automaton.next[state * size + at];
      if (isLive[state] === 0 || isLive[target] === 0) continue;
      tails.push(state);
      heads.push(target);
    }
  }
  const blocks = new Partition(automaton.stateCount);
  separateByAcceptance(blocks, automaton, isLive);
  const cords = new Partition(tails.length);
  separateByClass(cords, cuts);
  refine(blocks, cords, tails, heads, automaton.stateCount, budget);
  return merge(automaton, size, blocks, isLive);
}

/** States that are reached and from which acceptance can be reached. */
function findLive(automaton: Automaton, size: number, budget: WorkBudget): Uint8Array {
  const { stateCount, next, accepts, starts } = automaton;
  budget.spend(stateCount * size);
  const isReached = new Uint8Array(stateCount);
  const stack = [SINK, ...starts];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (isReached[state] === 1) continue;
    isReached[state] = 1;
    for (let at = 0; at < size; at += 1) stack.push(next[state * size + at]);
  }
  const sources = adjacency(next, stateCount * size, stateCount);
  const isLive = new Uint8Array(stateCount);
  for (let state = 0; state < stateCount; state += 1) if (accepts[state] !== 0) stack.push(state);
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    if (isLive[state] === 1 || isReached[state] === 0) continue;
    isLive[state] = 1;
    for (let at = sources.begins[state]; at < sources.begins[state + 1]; at += 1) {
      stack.push(Math.floor(sources.edges[at] / size));
    }
  }
  return isLive;
}

/** The edges that lead to each node, grouped by node. */
function adjacency(heads: ArrayLike<number>, edgeCount: number, nodeCount: number) {
  const begins = new Uint32Array(nodeCount + 1);
  for (let edge = 0; edge < edgeCount; edge += 1) begins[heads[edge] + 1] += 1;
  for (let node = 0; node < nodeCount; node += 1) begins[node + 1] += begins[node];
  const edges = new Uint32Array(edgeCount);
  const at = begins.slice();
  for (let edge = 0; edge < edgeCount; edge += 1) {
    edges[at[heads[edge]]] = edge;
    at[heads[edge]] += 1;
  }
  return { begins, edges };
}

/** A refinable partition of 0 to count - 1. Elements of a set lie side by side, the marked ones first. */
class Partition {
  setCount: number;
  readonly elements: Uint32Array;
  readonly #places: Uint32Array;
  readonly setOf: Uint32Array;
  readonly firsts: Uint32Array;
  readonly ends: Uint32Array;
  readonly #marked: Uint32Array;
  readonly #touched: number[] = [];

  constructor(count: number) {
    this.setCount = count === 0 ? 0 : 1;
    this.elements = Uint32Array.from({ length: count }, (_, at) => at);
    this.#places = this.elements.slice();
    this.setOf = new Uint32Array(count);
    this.firsts = new Uint32Array(count + 1);
    this.ends = new Uint32Array(count + 1);
    this.ends[0] = count;
    this.#marked = new Uint32Array(count + 1);
  }

  mark(element: number): void {
    const set = this.setOf[element];
    const from = this.#places[element];
    const to = this.firsts[set] + this.#marked[set];
    if (from < to) return;
    this.elements[from] = this.elements[to];
    this.#places[this.elements[from]] = from;
    this.elements[to] = element;
    this.#places[element] = to;
    if (this.#marked[set] === 0) this.#touched.push(set);
    this.#marked[set] += 1;
  }

  /** Splits every set with marked elements into these and the others. The smaller part becomes a new set. */
  split(): void {
    for (let set = this.#touched.pop(); set !== undefined; set = this.#touched.pop()) {
      const cut = this.firsts[set] + this.#marked[set];
      this.#marked[set] = 0;
      if (cut === this.ends[set]) continue;
      const added = this.setCount;
      this.setCount += 1;
      if (cut - this.firsts[set] <= this.ends[set] - cut) {
        this.firsts[added] = this.firsts[set];
        this.ends[added] = cut;
        this.firsts[set] = cut;
      } else {
        this.firsts[added] = cut;
        this.ends[added] = this.ends[set];
        this.ends[set] = cut;
      }
      for (let at = this.firsts[added]; at < this.ends[added]; at += 1) {
        this.setOf[this.elements[at]] = added;
      }
    }
  }
}

function separateByAcceptance(blocks: Partition, automaton: Automaton, isLive: Uint8Array): void {
  const states = new Map<number, number[]>();
  for (let state = 0; state < automaton.stateCount; state += 1) {
    const key = isLive[state] === 1 ? automaton.accepts[state] : -1;
    const same = states.get(key);
    if (same === undefined) states.set(key, [state]);
    else same.push(state);
  }
  for (const same of states.values()) {
    for (const state of same) blocks.mark(state);
    blocks.split();
  }
}

function separateByClass(cords: Partition, cuts: readonly number[]): void {
  for (const [at, first] of cuts.entries()) {
    const end = at + 1 < cuts.length ? cuts[at + 1] : cords.elements.length;
    for (let cord = first; cord < end; cord += 1) cords.mark(cord);
    cords.split();
  }
}

function refine(
  blocks: Partition,
  cords: Partition,
  tails: readonly number[],
  heads: readonly number[],
  stateCount: number,
  budget: WorkBudget,
): void {
  const incoming = adjacency(heads, heads.length, stateCount);
  // Every block but one splits the cords first: which one is left out does not matter. Block 0 is.
  let block = 1;
  for (let cord = 0; cord < cords.setCount; cord += 1) {
    budget.spend(cords.ends[cord] - cords.firsts[cord]);
    for (let at = cords.firsts[cord]; at < cords.ends[cord]; at += 1) {
      blocks.mark(tails[cords.elements[at]]);
    }
    blocks.split();
    for (; block < blocks.setCount; block += 1) {
      for (let at = blocks.firsts[block]; at < blocks.ends[block]; at += 1) {
        const state = blocks.elements[at];
        for (let edge = incoming.begins[state]; edge < incoming.begins[state + 1]; edge += 1) {
          cords.mark(incoming.edges[edge]);
        }
      }
      cords.split();
    }
  }
}

function merge(automaton: Automaton, size: number, blocks: Partition, isLive: Uint8Array) {
  const ids = new Map<number, number>([[blocks.setOf[SINK], SINK]]);
  const samples = [DEAD, SINK];
  const idOf = (state: number): number => {
    if (isLive[state] === 0) return DEAD;
    const block = blocks.setOf[state];
    let id = ids.get(block);
    if (id === undefined) {
      id = samples.push(state) - 1;
      ids.set(block, id);
    }
    return id;
  };
  const starts = automaton.starts.map(idOf);
  const next: number[] = [];
  const accepts: number[] = [];
  // `samples` grows while its states are visited: breadth first, so that states near the start lie together.
  for (let id = 0; id < samples.length; id += 1) {
    const state = samples[id];
    accepts.push(automaton.accepts[state]);
    for (let at = 0; at < size; at += 1) next.push(idOf(automaton.next[state * size + at]));
  }
  return { stateCount: samples.length, next, accepts, starts };
}
