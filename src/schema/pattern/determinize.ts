import { type Alphabet, KINDS, Kind } from './alphabet.js';
import { ALL_KINDS, type Automaton, DEAD, SINK } from './automaton.js';
import { NotCompiled, type WorkBudget } from './budget.js';
import { minimize } from './minimize.js';
import { type CompiledLook, Obligations } from './obligations.js';
import { Op, type Program } from './program.js';

/**
 * Which texts an automaton accepts.
 * search: those that contain a match, as RegExp.prototype.test does. prefix: those that begin with a match. suffix: those that
 * end with a match.
 */
export type Mode = 'search' | 'prefix' | 'suffix';

const STATES_MAX = 10_000;

/**
 * The subset construction. A state is a set of threads, the kind of the character before, and the state of each lookbehind.
 * A thread is a node of the program with its obligations: the states of the lookaheads that it has passed and that must still
 * come true. Conditions on the next character are decided on the way to it.
 */
export function determinize(
  program: Program,
  mode: Mode,
  alphabet: Alphabet,
  isMultiline: boolean,
  budget: WorkBudget,
): Automaton {
  const looks = program.looks.map((look) => ({
    ...look,
    automaton: determinize(
      look.body,
      look.isBehind ? 'suffix' : 'prefix',
      alphabet,
      isMultiline,
      budget,
    ),
  }));
  const subsets = new Subsets(program, mode, alphabet, isMultiline, budget, looks);
  return minimize(subsets.build(), alphabet.size, budget);
}

interface State {
  /** Sorted. */
  readonly threads: readonly number[];
  readonly before: number;
  readonly behinds: readonly number[];
}

class Subsets {
  readonly #program: Program;
  readonly #mode: Mode;
  readonly #alphabet: Alphabet;
  readonly #isMultiline: boolean;
  readonly #budget: WorkBudget;
  readonly #looks: readonly CompiledLook[];
  readonly #obligations: Obligations;
  readonly #classesOfKind: number[][] = [];

  readonly #states: State[] = [];
  readonly #ids = new Map<string, number>();
  readonly #next: number[] = [];
  readonly #accepts: number[] = [];

  /** Threads by id: the node, and the id of the set of obligations. The thread of a node without obligations has its number. */
  readonly #nodes: number[];
  readonly #owes: number[];
  readonly #threadIds = new Map<string, number>();
  /** The closure in which a thread was last seen. */
  readonly #seen: number[] = [];
  #closure = 0;
  #stack: number[] = [];
  /** Results of the last closure: threads at a character or a pending match, and whether the pattern has matched. */
  #reached: number[] = [];
  #isMatch = false;

  constructor(
    program: Program,
    mode: Mode,
    alphabet: Alphabet,
    isMultiline: boolean,
    budget: WorkBudget,
    looks: readonly CompiledLook[],
  ) {
    this.#program = program;
    this.#mode = mode;
    this.#alphabet = alphabet;
    this.#isMultiline = isMultiline;
    this.#budget = budget;
    this.#looks = looks;
    this.#obligations = new Obligations(looks, alphabet.size, budget);
    this.#nodes = program.ops.map((_, node) => node);
    this.#owes = program.ops.map(() => 0);
    for (let kind = 0; kind < KINDS; kind += 1) this.#classesOfKind.push([]);
    for (const [id, kind] of alphabet.kinds.entries()) this.#classesOfKind[kind].push(id);
  }

  build(): Automaton {
    for (const id of [DEAD, SINK]) {
      this.#states.push({ threads: [], before: Kind.OTHER, behinds: [] });
      this.#accepts.push(id === SINK ? ALL_KINDS : 0);
      for (let at = 0; at < this.#alphabet.size; at += 1) this.#next.push(id);
    }
    const behinds = this.#looks.map((look) =>
      look.isBehind ? look.automaton.starts[Kind.EDGE] : DEAD,
    );
    const starts: number[] = [];
    for (let before = 0; before < KINDS; before += 1) {
      const isPossible = before === Kind.EDGE || this.#mode === 'prefix';
      starts.push(isPossible ? this.#stateOf([this.#program.start], before, behinds) : DEAD);
    }
    for (let id = SINK + 1; id < this.#states.length; id += 1) this.#expand(id);
    return {
      stateCount: this.#states.length,
      next: this.#next,
      accepts: this.#accepts,
      starts,
    };
  }

  #stateOf(threads: number[], before: number, behinds: readonly number[]): number {
    if (threads.length === 0 && this.#mode === 'prefix') return DEAD;
    threads.sort((left, right) => left - right);
    const unique = threads.filter((thread, at) => thread !== threads[at - 1]);
    this.#budget.spend(threads.length);
    const key = `${unique.join()}|${before}|${behinds.join()}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#states.push({ threads: unique, before, behinds }) - 1;
      if (id === STATES_MAX) {
        throw new NotCompiled(
          `its automaton has more than ${STATES_MAX.toLocaleString('en')} states`,
        );
      }
      this.#ids.set(key, id);
    }
    return id;
  }

  #expand(id: number): void {
    const state = this.#states[id];
    let accepts = 0;
    const targets: number[][] = [];
    const row = id * this.#alphabet.size;
    for (let kind = 0; kind < KINDS; kind += 1) {
      const classes = this.#classesOfKind[kind];
      if (classes.length === 0 && kind !== Kind.EDGE) continue;
      this.#close(state, kind);
      if (this.#isMatch || (kind === Kind.EDGE && this.#isPendingMatch())) accepts |= 1 << kind;
      if (this.#isMatch && this.#mode !== 'suffix') {
        for (const at of classes) this.#next[row + at] = SINK;
        continue;
      }
      for (const at of classes) targets[at] = [];
      if (kind !== Kind.EDGE) this.#step(kind, targets);
      for (const at of classes) {
        this.#next[row + at] = this.#stateOf(targets[at], kind, this.#stepBehinds(state, at));
      }
    }
    // Only a suffix is asked for before a character; else equal states would differ in bits that nothing reads.
    if (this.#mode !== 'suffix') accepts = (accepts >> Kind.EDGE) & 1 ? ALL_KINDS : 0;
    this.#accepts.push(accepts);
  }

  #stepBehinds(state: State, at: number): readonly number[] {
    return state.behinds.map((behind, index) =>
      this.#looks[index].isBehind
        ? this.#looks[index].automaton.next[behind * this.#alphabet.size + at]
        : DEAD,
    );
  }

  /** Adds the threads that follow the reached ones to the targets of each class of a kind. */
  #step(kind: number, targets: readonly number[][]): void {
    const { ops, firsts, seconds } = this.#program;
    for (const thread of this.#reached) {
      const node = this.#nodes[thread];
      const isChar = ops[node] === Op.CHAR;
      const classes = isChar ? this.#alphabet.classesOf[firsts[node]] : this.#classesOfKind[kind];
      const next = isChar ? seconds[node] : node;
      this.#budget.spend(classes.length);
      for (const at of classes) {
        if (this.#alphabet.kinds[at] !== kind) continue;
        const owed = this.#obligations.step(this.#owes[thread], at);
        if (owed >= 0) targets[at].push(this.#threadOf(next, owed));
      }
    }
  }

  #threadOf(node: number, owed: number): number {
    if (owed === 0) return node;
    const key = `${node} ${owed}`;
    let id = this.#threadIds.get(key);
    if (id === undefined) {
      id = this.#nodes.push(node) - 1;
      this.#owes.push(owed);
      this.#threadIds.set(key, id);
    }
    return id;
  }

  /** Follows everything that consumes no character, before a character of a kind. */
  #close(state: State, kind: number): void {
    this.#closure += 1;
    this.#reached = [];
    this.#isMatch = false;
    for (const thread of state.threads) this.#visit(thread);
    if (this.#mode !== 'prefix') this.#visit(this.#program.start);
    for (let thread = this.#stack.pop(); thread !== undefined; thread = this.#stack.pop()) {
      this.#budget.spend(1);
      this.#follow(thread, state, kind);
    }
  }

  #visit(thread: number): void {
    if (this.#seen[thread] === this.#closure) return;
    this.#seen[thread] = this.#closure;
    this.#stack.push(thread);
  }

  #follow(thread: number, state: State, kind: number): void {
    const { ops, firsts, seconds } = this.#program;
    const node = this.#nodes[thread];
    const owed = this.#owes[thread];
    const first = firsts[node];
    switch (ops[node]) {
      case Op.CHAR:
        this.#reached.push(thread);
        return;
      case Op.MATCH:
        if (owed === 0) this.#isMatch = true;
        else this.#reached.push(thread);
        return;
      case Op.SPLIT:
        this.#visit(this.#threadOf(first, owed));
        break;
      case Op.START:
        if (!this.#isLineEdge(state.before)) return;
        break;
      case Op.END:
        if (!this.#isLineEdge(kind)) return;
        break;
      case Op.BOUNDARY:
        if (((state.before === Kind.WORD) !== (kind === Kind.WORD)) === (first === 1)) return;
        break;
      default: {
        const then = this.#look(first, owed, state, kind);
        if (then >= 0) this.#visit(this.#threadOf(seconds[node], then));
        return;
      }
    }
    this.#visit(this.#threadOf(seconds[node], owed));
  }

  #isLineEdge(kind: number): boolean {
    return kind === Kind.EDGE || (kind === Kind.LINE && this.#isMultiline);
  }

  /** @returns the obligations after the lookaround, or -1 if it fails */
  #look(index: number, owed: number, state: State, kind: number): number {
    const look = this.#looks[index];
    if (!look.isBehind) return this.#obligations.add(owed, index, state.before);
    const holds = ((look.automaton.accepts[state.behinds[index]] >> kind) & 1) === 1;
    return holds === look.isNegative ? -1 : owed;
  }

  /** Whether a match is pending whose lookaheads come true at the end of the text. */
  #isPendingMatch(): boolean {
    return this.#reached.some(
      (thread) =>
        this.#program.ops[this.#nodes[thread]] === Op.MATCH &&
        this.#obligations.holdAtEnd(this.#owes[thread]),
    );
  }
}
