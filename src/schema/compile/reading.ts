import type { ByteDfa } from '../pattern/byte-dfa.js';
import type { PatternCompiler } from '../pattern/compiler.js';
import type { Schema } from './references.js';
import type { Rules } from './rules.js';

/** Thrown while a schema is read: ajv checks it. */
export class LeftToAjv extends Error {
  readonly keyword: string;

  /** @param why a phrase */
  constructor(keyword: string, why: string) {
    super(why);
    this.keyword = keyword;
  }
}

export type SchemaObject = { readonly [keyword: string]: unknown };

/** What reads one schema, for those that read parts of it. */
export interface Reading {
  readonly patterns: PatternCompiler;
  /** The rules of the schema at a JSON pointer. */
  at(pointer: string, schema: Schema): Rules;
  /** Leaves to ajv what `rules` stands for. */
  leave(rules: Rules, keyword: string, why: string): void;
  /** Does what can only be done when all rules are known. */
  later(step: () => void): void;
  /** Whether ajv accepts a value by the schema at a JSON pointer. */
  accepts(pointer: string, value: unknown): boolean;
  /** The table of a pattern, with the flag that ajv uses. @throws LeftToAjv there is none */
  table(keyword: string, pattern: string): ByteDfa;
}
