import type { ByteDfa } from '../pattern/byte-dfa.js';
import type { ByteCheck } from '../pattern/date-time.js';

/** Types of JSON values as bits; `true` and `false` apart, so that a constant is a set of types. */
export const TYPE = {
  string: 1,
  number: 2,
  true: 4,
  false: 8,
  null: 16,
  object: 32,
  array: 64,
} as const;
export const ANY_TYPE = 127;

/** A schema as the scanner checks it. */
export type Rules = PartRules | ValueRules;

/** A schema that ajv checks, on the value alone. */
export interface PartRules {
  readonly kind: 'part';
  /** JSON pointer of the schema. */
  readonly pointer: string;
}

/** Rules by type; null where a value of the type may be anything. Filled after it was made, because references can form circles. */
export interface ValueRules {
  readonly kind: 'value';
  types: number;
  string: StringRules | null;
  number: NumberRules | null;
  object: ObjectRules | null;
  array: ArrayRules | null;
  /** Further schemas that the value must be valid against. */
  readonly also: Rules[];
  /** Of each of these, at least one must accept the value. */
  readonly choices: Choice[];
}

export interface StringRules {
  /** Code points. */
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly tables: readonly ByteDfa[];
  readonly checks: readonly ByteCheck[];
  /** The only values, or null. */
  readonly values: readonly string[] | null;
}

export interface NumberRules {
  readonly isInteger: boolean;
  readonly minimum: number;
  readonly maximum: number;
  readonly exclusiveMinimum: number;
  readonly exclusiveMaximum: number;
  readonly multiplesOf: readonly number[];
  /** The only values, or null. */
  readonly values: readonly number[] | null;
}

export interface Member {
  readonly name: string;
  /** All of them must accept the value. */
  readonly rules: readonly Rules[];
  readonly isRequired: boolean;
}

export interface ObjectRules {
  readonly members: readonly Member[];
  readonly patterns: readonly { readonly table: ByteDfa; readonly rules: Rules }[];
  /** For members that are neither in `members` nor have a name that one of `patterns` matches. */
  readonly additional: Rules;
  /** For the names of all members that are not in `members`; null for any name. */
  readonly names: StringRules | null;
  readonly countMin: number;
  readonly countMax: number;
}

export interface ArrayRules {
  readonly first: readonly Rules[];
  readonly rest: Rules;
  readonly countMin: number;
  readonly countMax: number;
}

/** Branches of which one must accept the value. */
export interface Choice {
  readonly branches: readonly Rules[];
  /** A member whose value tells which branch of several for an object is the only possible one. */
  readonly tag: Tag | null;
}

export interface Tag {
  readonly name: string;
  /** For each branch its values: none if it takes no objects. */
  readonly values: readonly (readonly Scalar[])[];
}

export type Scalar = string | number | boolean | null;

export function anyRules(): ValueRules {
  return {
    kind: 'value',
    types: ANY_TYPE,
    string: null,
    number: null,
    object: null,
    array: null,
    also: [],
    choices: [],
  };
}

/** Rules that no value meets: the judge decides. */
export function noRules(): ValueRules {
  return { ...anyRules(), types: 0 };
}

export function isFree(rules: Rules): boolean {
  return (
    rules.kind === 'value' &&
    rules.types === ANY_TYPE &&
    rules.string === null &&
    rules.number === null &&
    rules.object === null &&
    rules.array === null &&
    rules.also.length === 0 &&
    rules.choices.length === 0
  );
}

export const ANY_STRING: StringRules = {
  lengthMin: 0,
  lengthMax: Infinity,
  tables: [],
  checks: [],
  values: null,
};
