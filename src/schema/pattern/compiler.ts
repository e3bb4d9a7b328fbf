import { Kind, makeAlphabet, NOT_TEXT } from './alphabet.js';
import type { Automaton } from './automaton.js';
import { NotCompiled, WorkBudget } from './budget.js';
import { type ByteDfa, makeByteDfa } from './byte-dfa.js';
import { CharSets, NOT_SCANNED } from './char-sets.js';
import { ASTRAL_FIRST, CODE_POINT_MAX, type CodePoints } from './code-points.js';
import { determinize } from './determinize.js';
import { acceptOn, findsMatchesHalfway, matchesHalfway } from './halfway.js';
import { minimize } from './minimize.js';
import { type Program, parse } from './program.js';
import { makeTextTest, type TextTest } from './text-test.js';

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

  /** The same for texts of any characters, such as JSON.parse returns. It keeps nothing. */
  compileTest(source: string, flags = 'u'): TextTest | NotCompiledReason {
    return this.#attempt(source, flags, () => {
      const { automaton, alphabet } = this.#automatonOf(source, flags, []);
      return makeTextTest(automaton, alphabet, automaton.starts[Kind.EDGE]);
    });
  }

  #compile(source: string, flags: string): ByteDfa | NotCompiledReason {
    return this.#attempt(source, flags, () => {
      const { automaton, alphabet } = this.#automatonOf(source, flags, NOT_TEXT);
      return makeByteDfa(automaton, alphabet, automaton.starts[Kind.EDGE]);
    });
  }

  #attempt<T>(source: string, flags: string, compile: () => T): T | NotCompiledReason {
    try {
      new RegExp(source, flags);
      return compile();
    } catch (error) {
      return { why: reasonOf(error) };
    }
  }

  /** @param never characters that do not occur */
  #automatonOf(source: string, flags: string, never: CodePoints) {
    if (flags.includes('y')) throw new NotCompiled('the flag y is not supported');
    this.#charSets.isPartial = false;
    const budget = new WorkBudget(STEPS_MAX);
    const { program, sets, word, isUnicode, isMultiline } = parse(
      source,
      flags,
      this.#charSets,
      budget,
    );
    const isHalfway = isUnicode && this.#isHalfwayFound && matchesHalfway(program);
    const options = {
      isUnicode,
      word: hasBoundary(program) ? word : undefined,
      isMultiline,
      never,
      unknown: this.#charSets.isPartial ? NOT_SCANNED : [],
    };
    const alphabet = makeAlphabet(isHalfway ? [...sets, ASTRAL] : sets, options, budget);
    const { size, classesOf, surrogate } = alphabet;
    let automaton = determinize(program, 'search', alphabet, isMultiline, budget);
    if (isHalfway) {
      automaton = minimize(acceptOn(classesOf[sets.length], automaton, size), size, budget);
    }
    if (!isUnicode) automaton = joinSurrogates(automaton, size, surrogate);
    return { automaton, alphabet };
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
