import { Kind, makeAlphabet } from './alphabet.js';
import type { Automaton } from './automaton.js';
import { NotCompiled, WorkBudget } from './budget.js';
import { type ByteDfa, makeByteDfa } from './byte-dfa.js';
import { CharSets } from './char-sets.js';
import { ASTRAL_FIRST, CODE_POINT_MAX } from './code-points.js';
import { determinize } from './determinize.js';
import { isSearchedFromEnd, searchesWrongFromEnd } from './end-search.js';
import { acceptOn, findsMatchesHalfway, matchesHalfway } from './halfway.js';
import { LinearMatcher } from './linear-matcher.js';
import { minimize } from './minimize.js';
import { type Program, parse } from './program.js';

/** Why a pattern has no table: a phrase to put behind the pattern in a message. */
export interface NotCompiledReason {
  readonly why: string;
}

const ASTRAL = [ASTRAL_FIRST, CODE_POINT_MAX];

/** At most about 60 ms: a step takes 10 to 30 ns. Common patterns take a hundredth of it. */
const STEPS_MAX = 2_000_000;

/**
 * Compiles patterns to tables, each once. It keeps what it has compiled: drop it when the schema is compiled.
 */
export class PatternCompiler {
  readonly #compiled = new Map<string, ByteDfa | NotCompiledReason>();
  readonly #charSets = new CharSets();
  readonly #isHalfwayFound = findsMatchesHalfway();
  readonly #isEndSearchWrong = searchesWrongFromEnd();

  /**
   * @param source as for `new RegExp`
   * @param flags of i, m, s, u; others of RegExp do not change what `test` says, but for y and v, which are not supported
   */
  compile(source: string, flags = 'u'): ByteDfa | NotCompiledReason {
    const key = `${flags}/${source}`;
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      compiled = this.#compile(source, flags);
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }

  #compile(source: string, flags: string): ByteDfa | NotCompiledReason {
    try {
      return this.#table(source, flags);
    } catch (error) {
      return { why: reasonOf(error) };
    }
  }

  /** A matcher of any string, in linear time and without recursion, with the verdicts of `RegExp.prototype.test`. */
  matcher(source: string, flags = 'u'): LinearMatcher | NotCompiledReason {
    try {
      const { automaton, alphabet, isUnicode } = this.#automaton(source, flags, false);
      return new LinearMatcher(`/${source}/${flags}`, automaton, alphabet, isUnicode);
    } catch (error) {
      return { why: reasonOf(error) };
    }
  }

  #table(source: string, flags: string): ByteDfa {
    const { automaton, alphabet, isUnicode } = this.#automaton(source, flags, true);
    const { size, surrogate } = alphabet;
    const joined = isUnicode ? automaton : joinSurrogates(automaton, size, surrogate);
    return makeByteDfa(joined, alphabet, automaton.starts[Kind.EDGE]);
  }

  #automaton(source: string, flags: string, isRaw: boolean) {
    new RegExp(source, flags);
    if (flags.includes('y')) throw new NotCompiled('the flag y is not supported');
    const budget = new WorkBudget(STEPS_MAX);
    const parsed = parse(source, flags, this.#charSets, budget);
    const { program, sets, isUnicode, isMultiline } = parsed;
    if (isUnicode && this.#isEndSearchWrong && isSearchedFromEnd(program, sets)) {
      throw new NotCompiled('this version of V8 searches for it from the end, with a fault');
    }
    const isHalfway = isUnicode && this.#isHalfwayFound && matchesHalfway(program);
    const word = hasBoundary(program) ? parsed.word : undefined;
    const options = { isUnicode, word, isMultiline, isRaw };
    const alphabet = makeAlphabet(isHalfway ? [...sets, ASTRAL] : sets, options, budget);
    const { size, classesOf } = alphabet;
    let automaton = determinize(program, 'search', alphabet, isMultiline, budget);
    if (isHalfway) {
      automaton = minimize(acceptOn(classesOf[sets.length], automaton, size), size, budget);
    }
    return { automaton, alphabet, isUnicode };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof NotCompiled) return error.message;
  // The message repeats the pattern, which can be long, before the reason.
  if (error instanceof SyntaxError) return error.message.replace(/^.*: /s, '');
  // The stack overflows.
  if (error instanceof RangeError) return 'it is nested too deeply';
  throw error;
}

function hasBoundary(program: Program): boolean {
  return program.hasBoundary || program.looks.some((look) => hasBoundary(look.body));
}

/** Without the flag u, an astral code point is two surrogates: makes their class stand for both. */
function joinSurrogates(automaton: Automaton, size: number, surrogate: number): Automaton {
  const next = Array.from(automaton.next);
  for (let state = 0; state < automaton.stateCount; state += 1) {
    const half = automaton.next[state * size + surrogate];
    next[state * size + surrogate] = automaton.next[half * size + surrogate];
  }
  return { ...automaton, next };
}
