import type { Schema } from './references.js';
import type { Rules } from './rules.js';
import type { Tables } from './tables.js';

export type SchemaObject = { readonly [keyword: string]: unknown };

/** What reads one schema, for those that read parts of it. */
export interface Reading {
  readonly tables: Tables;
  /** The rules of the schema at a JSON pointer. */
  at(pointer: string, schema: Schema): Rules;
  /** Leaves to ajv what `rules` stands for. */
  leave(rules: Rules, keyword: string, why: string): void;
  /** Does what can only be done when all rules are known. */
  later(step: () => void): void;
  /** Whether ajv accepts a value by the schema at a JSON pointer. */
  accepts(pointer: string, value: unknown): boolean;
}
