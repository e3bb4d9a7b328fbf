import { LeftToAjv } from './left-to-ajv.js';
import { boundPasses } from './passes.js';
import { readArray } from './read-array.js';
import { readChoices } from './read-choices.js';
import { readNumber } from './read-number.js';
import { readObject } from './read-object.js';
import { readString } from './read-string.js';
import { valuesRules } from './read-values.js';
import type { Reading, SchemaObject } from './reading.js';
import { pointerTo, References, type Schema } from './references.js';
import { ANY_TYPE, anyRules, noRules, type Rules, TYPE, type ValueRules } from './rules.js';
import { Tables } from './tables.js';

/** Keywords that never refuse a value. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  (
    '$anchor,$comment,$defs,$id,$schema,contentEncoding,contentMediaType,contentSchema,default,definitions,deprecated,' +
    'description,examples,readOnly,title,writeOnly'
  ).split(','),
);

/** Keywords that the scanner checks. */
const COMPILED: ReadonlySet<string> = new Set(
  (
    '$ref,type,enum,const,allOf,anyOf,oneOf,properties,patternProperties,additionalProperties,propertyNames,required,' +
    'minProperties,maxProperties,items,prefixItems,additionalItems,minItems,maxItems,minLength,maxLength,pattern,format,' +
    'minimum,maximum,exclusiveMinimum,exclusiveMaximum,multipleOf'
  ).split(','),
);

/** Keywords whose meaning depends on where the validation came from. */
const DYNAMIC: readonly string[] = ['$dynamicRef', '$dynamicAnchor', '$recursiveRef'];

/** Why a keyword of the schema is left to ajv. */
export interface Leftover {
  /** JSON pointer of the schema that ajv checks. */
  readonly pointer: string;
  readonly keyword: string;
  /** A phrase. */
  readonly why: string;
}

/** Whether ajv accepts a value by the schema at a JSON pointer. */
export type AjvCheck = (pointer: string, value: unknown) => boolean;

/** Turns a schema into rules. `schema` must be valid against its meta-schema. */
export class SchemaReader implements Reading {
  readonly leftovers: Leftover[] = [];
  readonly tables = new Tables();
  readonly #read = new Map<string, Rules>();
  readonly #references: References;
  readonly #root: Schema;
  readonly #check: AjvCheck;
  readonly #later: (() => void)[] = [];

  constructor(root: Schema, check: AjvCheck) {
    this.#root = root;
    this.#check = check;
    this.#references = new References(root);
  }

  /** The rules of a body. A part at the root means that ajv checks all bodies. */
  rules(): Rules {
    const dynamic = needsWhole(this.#root);
    if (dynamic !== null) {
      this.leftovers.push({ pointer: '', keyword: dynamic, why: 'it depends on other schemas' });
      return { kind: 'part', pointer: '' };
    }
    const rules = this.at('', this.#root);
    while (this.#later.length > 0) this.#later.pop()!();
    boundPasses(rules, (one, keyword) =>
      this.leave(one, keyword, 'a value would be read too often'),
    );
    return rules;
  }

  at(pointer: string, schema: Schema): Rules {
    const known = this.#read.get(pointer);
    if (known !== undefined) return known;
    const rules = schema === false ? noRules() : anyRules();
    this.#read.set(pointer, rules);
    if (typeof schema === 'boolean') return rules;
    this.#pointers.set(rules, pointer);
    try {
      this.#fill(rules, pointer, schema);
    } catch (error) {
      if (!(error instanceof LeftToAjv)) throw error;
      this.leave(rules, error.keyword, error.message);
    }
    return rules;
  }

  readonly #pointers = new Map<Rules, string>();

  leave(rules: Rules, keyword: string, why: string): void {
    const pointer = this.#pointers.get(rules)!;
    this.leftovers.push({ pointer, keyword, why });
    Object.assign(rules, { ...anyRules(), kind: 'part', pointer });
  }

  later(step: () => void): void {
    this.#later.push(step);
  }

  accepts(pointer: string, value: unknown): boolean {
    return this.#check(pointer, value);
  }

  #fill(rules: ValueRules, pointer: string, schema: SchemaObject): void {
    for (const keyword of Object.keys(schema)) {
      if (ANNOTATIONS.has(keyword) || COMPILED.has(keyword)) continue;
      throw new LeftToAjv(keyword, 'the scanner does not know it');
    }
    if ('enum' in schema || 'const' in schema) {
      Object.assign(rules, valuesRules(this, pointer, schema));
      return;
    }
    const isInteger = readTypes(rules, schema);
    rules.string = readString(this, schema);
    rules.number = readNumber(schema, isInteger);
    rules.object = readObject(this, pointer, schema);
    rules.array = readArray(this, pointer, schema);
    if (typeof schema.$ref === 'string') rules.also.push(this.#target(schema.$ref));
    for (const [index, one] of ((schema.allOf as Schema[] | undefined) ?? []).entries()) {
      rules.also.push(this.at(pointerTo(pointer, 'allOf', index), one));
    }
    readChoices(this, rules, pointer, schema);
  }

  #target(reference: string): Rules {
    const target = this.#references.resolve(reference);
    if (target === null) throw new LeftToAjv('$ref', 'it is not a JSON pointer in the same file');
    return this.at(target.pointer, target.schema);
  }
}

/** @returns whether numbers must be integers */
function readTypes(rules: ValueRules, { type }: SchemaObject): boolean {
  if (type === undefined) return false;
  const names = (Array.isArray(type) ? type : [type]) as string[];
  rules.types = 0;
  for (const name of names) {
    if (name === 'boolean') rules.types |= TYPE.true | TYPE.false;
    else if (name === 'integer') rules.types |= TYPE.number;
    else rules.types |= TYPE[name as 'string'];
  }
  rules.types &= ANY_TYPE;
  return names.includes('integer') && !names.includes('number');
}

/** A keyword anywhere in the schema that makes ajv check whole bodies, or null. */
function needsWhole(root: Schema): string | null {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    const found = Object.keys(next).find(
      (name) => DYNAMIC.includes(name) || (name === '$id' && next !== root),
    );
    if (found !== undefined && typeof (next as SchemaObject)[found] === 'string') return found;
    open.push(...Object.values(next));
  }
  return null;
}
