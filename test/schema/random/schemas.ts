import type { Random } from '../../../drills/ledger/random.js';
import { selfReference } from '../../../src/schema/judge/references.js';
import {
  type Dialect,
  escapedName,
  type Schema,
  visitSchemas,
} from '../../../src/schema/judge/subschemas.js';
import { randomRegex } from './regex.js';
import { randomName, randomScalar, randomValue } from './values.js';

/** A random schema, and the samples of its patterns. */
export interface RandomSchema {
  readonly schema: Schema;
  readonly dialect: Dialect;
  /** By the source of a pattern: makes texts that it usually matches. */
  readonly samples: ReadonlyMap<string, (random: Random) => string>;
}

type Keywords = Record<string, unknown>;

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'];
export const FORMATS = [
  'date-time',
  'date',
  'time',
  'email',
  'uuid',
  'uri',
  'ipv4',
  'ipv6',
  'hostname',
  'duration',
  'json-pointer',
  'uri-reference',
  'iso-date-time',
  'int32',
  'byte',
];
const BOUNDS = [0, 1, 2, 3, 10, 100, -1, -5, 0.5, 1.5, 0.1, -0.01, 1e9, 2 ** 31, 2 ** 53, 1e21];
const DIVISORS = [1, 2, 3, 5, 10, 0.5, 0.25, 0.1, 0.01, 100, 1e-7, 1.5, 2 ** 31, 1e300];
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

/** Most schemas that a random schema contains, so that it compiles in milliseconds. */
const NODES_MAX = 40;

export function randomSchema(random: Random): RandomSchema {
  for (;;) {
    const made = new SchemaMaker(random).make();
    if (selfReference(made.schema) === null) return made;
  }
}

class SchemaMaker {
  readonly #random: Random;
  readonly #isDraft07: boolean;
  readonly #samples = new Map<string, (random: Random) => string>();
  readonly #definitions: string[];
  #nodes = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#isDraft07 = random.once(5);
    this.#definitions = Array.from({ length: random.below(3) }, (_, i) => `d${i}`);
  }

  make(): RandomSchema {
    const random = this.#random;
    const root = random.once(12) ? this.#schema(0) : this.#typed('object', 0);
    if (typeof root === 'boolean') return this.#whole(root);
    if (this.#isDraft07) root.$schema = DRAFT_07;
    const holder = this.#isDraft07 ? 'definitions' : '$defs';
    const definitions = this.#definitions.map((name) => [name, this.#schema(2)]);
    if (definitions.length > 0) root[holder] = Object.fromEntries(definitions);
    this.#redirect(root);
    return this.#whole(root);
  }

  /** Lets some references lead to members of the root, by names of all kinds. */
  #redirect(root: Keywords): void {
    const names = Object.keys((root.properties as Keywords | undefined) ?? {});
    // A reference through __proto__ means something else to ajv.
    const targets = names.filter((name) => name !== '__proto__');
    visitSchemas(root, (schema) => {
      if (!('$ref' in schema) || targets.length === 0 || !this.#random.once(4)) return;
      const name = escapedName(this.#random.pick(targets));
      Object.assign(schema, { $ref: `#/properties/${encodeURIComponent(name)}` });
    });
  }

  #whole(schema: Schema): RandomSchema {
    const dialect = this.#isDraft07 ? 'draft-07' : '2020-12';
    return { schema, dialect, samples: this.#samples };
  }

  #schema(depth: number): Keywords | boolean {
    const random = this.#random;
    this.#nodes++;
    if (this.#nodes > NODES_MAX || depth > 4) return this.#scalar();
    if (random.once(25)) return !random.once(3);
    if (this.#definitions.length > 0 && random.once(6)) return this.#reference();
    if (random.once(9)) return { const: randomValue(random, 2) };
    if (random.once(9)) return { enum: this.#values(random.once(20) ? 300 : 5) };
    if (random.once(10)) return this.#union(depth);
    if (random.once(12)) return this.#rare(depth);
    return this.#typed(random.pick(TYPES), depth);
  }

  /** A reference, in draft-07 and rarely in 2020-12 alone. */
  #reference(): Keywords {
    const holder = this.#isDraft07 ? 'definitions' : '$defs';
    const $ref = `#/${holder}/${this.#random.pick(this.#definitions)}`;
    return this.#random.once(5) && !this.#isDraft07
      ? { $ref, maxProperties: 3, maxLength: 5 }
      : { $ref };
  }

  #scalar(): Keywords {
    const type = this.#random.pick(TYPES.slice(2));
    return this.#typed(type, 9);
  }

  #typed(type: string, depth: number): Keywords {
    const random = this.#random;
    const types = random.once(8) ? [type, random.pick(TYPES)] : [type];
    const named = [...new Set(types)];
    const schema: Keywords = random.once(15) ? {} : { type: named.length > 1 ? named : type };
    for (const one of named) Object.assign(schema, this.#keywordsOf(one, depth));
    if (random.once(30)) Object.assign(schema, this.#rare(depth + 1));
    return schema;
  }

  #keywordsOf(type: string, depth: number): Keywords {
    if (type === 'object') return this.#object(depth);
    if (type === 'array') return this.#array(depth);
    if (type === 'string') return this.#string();
    return type === 'integer' || type === 'number' ? this.#number() : {};
  }

  #object(depth: number): Keywords {
    const random = this.#random;
    // Now and then more members than a word has bits.
    const names = random.once(20)
      ? Array.from({ length: 28 + random.below(45) }, (_, i) => `m${i}`)
      : Array.from({ length: random.below(6) }, () => randomName(random));
    const schema: Keywords = {};
    const properties = names.map((name) => [name, this.#schema(depth + 1)]);
    if (properties.length > 0 || random.once(2)) schema.properties = Object.fromEntries(properties);
    const required = names.filter(() => !random.once(3));
    if (random.once(10)) required.push(randomName(random));
    if (!random.once(4)) schema.required = [...new Set(required)];
    if (!random.once(3))
      schema.additionalProperties = random.once(4) ? this.#schema(depth + 1) : random.once(3);
    if (random.once(6)) schema.minProperties = random.below(4);
    if (random.once(6)) schema.maxProperties = random.below(8);
    if (random.once(6)) schema.patternProperties = this.#patternProperties(depth);
    if (random.once(8)) schema.propertyNames = this.#nameSchema();
    return schema;
  }

  #patternProperties(depth: number): Keywords {
    const count = 1 + this.#random.below(2);
    const members = Array.from({ length: count }, () => [
      this.#random.once(2)
        ? this.#pattern()
        : this.#random.pick(['^x-', '^[a-c]', '_id$', '^\\d+$', '.', 'é']),
      this.#schema(depth + 1),
    ]);
    return Object.fromEntries(members);
  }

  #nameSchema(): Keywords | boolean {
    const random = this.#random;
    return random.pick<() => Keywords | boolean>([
      () => ({ pattern: random.pick(['^[a-z]+$', '^[^_]', '^x-', '.']) }),
      () => ({ maxLength: 1 + random.below(12) }),
      () => ({ minLength: random.below(3) }),
      () => ({ enum: ['a', 'b', 'é', 'items', 'id'] }),
      () => this.#string(),
      () => true,
    ])();
  }

  #array(depth: number): Keywords {
    const random = this.#random;
    const schema: Keywords = {};
    const tuple = random.once(4)
      ? Array.from({ length: 1 + random.below(3) }, () => this.#schema(depth + 1))
      : [];
    if (tuple.length > 0) schema[this.#isDraft07 ? 'items' : 'prefixItems'] = tuple;
    const rest = this.#isDraft07 && tuple.length > 0 ? 'additionalItems' : 'items';
    if (!random.once(4)) schema[rest] = random.once(6) ? random.once(2) : this.#schema(depth + 1);
    if (random.once(3)) schema.minItems = random.below(4);
    if (random.once(3)) schema.maxItems = random.below(6);
    if (random.once(6)) schema.uniqueItems = !random.once(4);
    if (random.once(10)) schema.contains = this.#schema(depth + 2);
    return schema;
  }

  #string(): Keywords {
    const random = this.#random;
    const schema: Keywords = {};
    if (random.once(3)) schema.minLength = random.below(5);
    if (random.once(3)) schema.maxLength = random.below(random.once(3) ? 300 : 12);
    if (random.once(3)) schema.pattern = this.#pattern();
    if (random.once(5)) schema.format = random.pick(FORMATS);
    if (random.once(20)) schema.enum = this.#values(6);
    return schema;
  }

  #pattern(): string {
    const { source, sample } = randomRegex(this.#random);
    this.#samples.set(source, sample);
    return source;
  }

  #number(): Keywords {
    const random = this.#random;
    const schema: Keywords = {};
    for (const bound of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
      if (random.once(5)) schema[bound] = random.pick(BOUNDS);
    }
    if (random.once(4)) schema.multipleOf = random.pick(DIVISORS);
    if (random.once(20)) schema.format = random.pick(['int32', 'int64', 'float', 'double']);
    return schema;
  }

  #values(count: number): unknown[] {
    const values = Array.from({ length: 1 + this.#random.below(count) }, () =>
      this.#random.once(4) ? randomValue(this.#random, 2) : randomScalar(this.#random),
    );
    // The meta-schema of 2020-12 lets a value be listed twice.
    if (!this.#isDraft07 && this.#random.once(6)) return [...values, values[0]];
    const unique = new Map(values.map((value) => [JSON.stringify(value), value]));
    return [...unique.values()];
  }

  /** Mostly what has a discriminating member. */
  #union(depth: number): Keywords {
    const random = this.#random;
    const keyword = random.pick(['oneOf', 'anyOf']);
    const count = 1 + random.below(4);
    if (random.once(3)) {
      return { [keyword]: Array.from({ length: count }, () => this.#schema(depth + 1)) };
    }
    const name = random.pick(['kind', 'type', 'é']);
    const constants = random.once(2) ? ['a', 'b', 'card', 'sepa'] : [1, '1', true, null];
    const branches = Array.from({ length: count }, (_, i) => {
      const branch = this.#object(depth + 1);
      const tag = random.once(15) ? constants[0] : constants[i];
      const properties = {
        ...(branch.properties as Keywords),
        [name]: random.once(6) ? { enum: [tag, 'x'] } : { const: tag },
      };
      const required = random.once(12) ? [] : [name, ...((branch.required as string[]) ?? [])];
      return { type: 'object', ...branch, properties, required: [...new Set(required)] };
    });
    return random.once(3) ? { type: 'object', [keyword]: branches } : { [keyword]: branches };
  }

  /** Keywords that are left to ajv, and what is around them. */
  #rare(depth: number): Keywords {
    const random = this.#random;
    const one = () => this.#schema(depth + 1);
    const makers: (() => Keywords)[] = [
      () => ({ not: one() }),
      () => ({ allOf: [one(), one()] }),
      () => Object.fromEntries(['if', 'then', 'else'].map((keyword) => [keyword, one()])),
      () => ({ type: 'array', items: {}, uniqueItems: true, contains: one() }),
    ];
    if (!this.#isDraft07) {
      makers.push(
        () => ({
          ...this.#object(depth + 1),
          unevaluatedProperties: random.once(3) ? one() : false,
        }),
        () => ({ ...this.#array(depth + 1), unevaluatedItems: false }),
        () => ({ dependentRequired: { a: ['b'], id: ['items', 'a'] } }),
        () => ({ dependentSchemas: { a: one() } }),
        () => ({ contains: one(), minContains: random.below(3), maxContains: 3 }),
        () => ({ properties: { next: { $ref: '#' } } }),
      );
    } else {
      makers.push(() => ({ dependencies: { a: ['b'], id: one() } }));
    }
    return random.pick(makers)();
  }
}
