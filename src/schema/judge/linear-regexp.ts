import { PatternCompiler } from '../pattern/compiler.js';
import { backtrackingGrowth, type Growth } from '../pattern/slow.js';

/** What ajv needs of a regular expression. */
export interface Matcher {
  test(text: string): boolean;
  /** ajv keeps one matcher for each text. */
  toString(): string;
}

/** Why the time of a pattern is not linear. */
export interface SlowPattern {
  readonly growth: Growth;
  /** Why it has no automaton: a phrase. */
  readonly why: string;
}

/**
 * Makes matchers in linear time. If backtracking could be slow, an automaton takes the place of the regular expression: the
 * client chooses the text, and the judge sees all texts that the scanner does not take.
 */
export class LinearMatchers {
  readonly #compiler = new PatternCompiler();

  /** @throws SyntaxError `source` is no regular expression */
  matcher(source: string, flags: string): Matcher {
    const regExp = new RegExp(source, flags);
    if (backtrackingGrowth(source, flags) === 'linear') return regExp;
    const matcher = this.#compiler.matcher(source, flags);
    // Without an automaton, the operator has allowed it: see `slowPattern`.
    return 'why' in matcher ? regExp : matcher;
  }

  /** Null if a matcher of the pattern takes linear time. `source` must be a regular expression. */
  slowPattern(source: string, flags: string): SlowPattern | null {
    const growth = backtrackingGrowth(source, flags);
    if (growth === 'linear') return null;
    const matcher = this.#compiler.matcher(source, flags);
    return 'why' in matcher ? { growth, why: matcher.why } : null;
  }
}
