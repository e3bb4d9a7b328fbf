import type { ByteDfa } from '../pattern/byte-dfa.js';
import type { MatchTable } from './match.js';
import type { Rules } from './rules.js';
import type { Source } from './source.js';

/** Whether ajv accepts a value by one schema. */
export type ValueCheck = (value: unknown, bytes: number) => boolean;

/** Writes rules as code. */
export interface RulesWriter {
  readonly source: Source;
  /** Most arrays and objects inside each other. */
  readonly depthMax: number;
  /** Whether the code puts names into `s.names`. */
  usesNames: boolean;
  /** What the code matches a string with. */
  tableOf(dfa: ByteDfa): MatchTable;
  /** Code for a value inside an array or object that must be valid against all rules. */
  values(all: readonly Rules[]): string;
  /** The name of a function for a value that must be valid against all rules. */
  functionOf(all: readonly Rules[]): string;
}
