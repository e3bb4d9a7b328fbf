import type { Random } from '../../../drills/ledger/random.js';
import type { RandomSchema } from './schemas.js';
import { randomFormatted, randomName, randomNumber, randomText, randomValue } from './values.js';

type Keywords = Record<string, unknown>;

/** Most values in a value, so that bodies are short. */
const NODES_MAX = 150;

/** A schema may want more. */
const LENGTH_MAX = 4000;

/** Makes values that are valid against a schema more often than not. It knows no rule exactly: ajv decides. */
export class Sampler {
  readonly #random: Random;
  readonly #schema: RandomSchema;
  #left = 0;

  constructor(random: Random, schema: RandomSchema) {
    this.#random = random;
    this.#schema = schema;
  }

  sample(): unknown {
    this.#left = NODES_MAX;
    return this.#of(this.#schema.schema, 6);
  }

  #of(schema: unknown, depth: number): unknown {
    const random = this.#random;
    if (typeof schema !== 'object' || schema === null) return randomValue(random, 1);
    // A schema that requires itself has no values.
    this.#left--;
    if (this.#left < 0) return null;
    const keywords = this.#merged(schema as Keywords, 4);
    if ('const' in keywords) return keywords.const;
    if (Array.isArray(keywords.enum) && keywords.enum.length > 0) return random.pick(keywords.enum);
    const type = this.#typeOf(keywords);
    if (type === 'object') return this.#object(keywords, depth);
    if (type === 'array') return this.#array(keywords, depth);
    if (type === 'string') return this.#string(keywords);
    if (type === 'integer' || type === 'number') return this.#number(keywords, type);
    if (type === 'boolean') return random.once(2);
    return type === 'null' ? null : randomValue(random, 2);
  }

  /** With one alternative of each union, and what is referred to, as if it stood in `schema`. */
  #merged(schema: Keywords, times: number): Keywords {
    if (times === 0) return schema;
    const parts: unknown[] = [];
    for (const keyword of ['oneOf', 'anyOf']) {
      const branches = schema[keyword];
      if (Array.isArray(branches) && branches.length > 0) parts.push(this.#random.pick(branches));
    }
    if (Array.isArray(schema.allOf)) parts.push(...schema.allOf);
    if (typeof schema.$ref === 'string') parts.push(this.#target(schema.$ref));
    parts.push(schema.then ?? schema.else);
    const { oneOf, anyOf, allOf, $ref, then, else: _, ...merged } = schema;
    for (const part of parts) {
      if (typeof part !== 'object' || part === null) continue;
      const inner = this.#merged(part as Keywords, times - 1);
      const properties = { ...(inner.properties as Keywords), ...(merged.properties as Keywords) };
      const required = [...((inner.required as []) ?? []), ...((merged.required as []) ?? [])];
      Object.assign(merged, inner, { properties, required });
    }
    return merged;
  }

  #target(reference: string): unknown {
    let at: unknown = this.#schema.schema;
    for (const part of reference.split('/').slice(1)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      at = (at as Keywords)[name];
    }
    return at;
  }

  #typeOf({ type, ...keywords }: Keywords): string {
    if (Array.isArray(type)) return this.#random.pick(type as string[]);
    if (typeof type === 'string') return type;
    if ('properties' in keywords || 'additionalProperties' in keywords) return 'object';
    if ('items' in keywords || 'prefixItems' in keywords) return 'array';
    if ('pattern' in keywords || 'format' in keywords || 'minLength' in keywords) return 'string';
    return 'minimum' in keywords || 'multipleOf' in keywords ? 'number' : '';
  }

  #object(keywords: Keywords, depth: number): unknown {
    const random = this.#random;
    const properties = Object.entries((keywords.properties as Keywords) ?? {});
    const required = new Set((keywords.required as string[]) ?? []);
    const entries = properties.filter(
      ([name]) => required.has(name) || (depth > 0 && random.once(2)),
    );
    const value = new Map(entries.map(([name, schema]) => [name, this.#of(schema, depth - 1)]));
    for (const name of required) if (!value.has(name)) value.set(name, this.#rest(keywords, depth));
    const isOpen =
      keywords.additionalProperties !== false && keywords.unevaluatedProperties !== false;
    const missing = ((keywords.minProperties as number) ?? 0) - value.size;
    const more = isOpen ? Math.max(missing, random.once(3) ? random.below(3) : 0) : 0;
    for (let i = 0; i < more; i++) value.set(this.#name(keywords), this.#rest(keywords, depth));
    for (const [source, schema] of Object.entries((keywords.patternProperties as Keywords) ?? {})) {
      if (random.once(2)) value.set(this.#text(source), this.#of(schema, depth - 1));
    }
    return Object.fromEntries(value);
  }

  #rest(keywords: Keywords, depth: number): unknown {
    return this.#of(keywords.additionalProperties ?? true, depth - 1);
  }

  #name({ propertyNames }: Keywords): string {
    if (typeof propertyNames !== 'object' || this.#random.once(3)) return randomName(this.#random);
    const name = this.#of({ type: 'string', ...propertyNames }, 0);
    return String(name);
  }

  #array(keywords: Keywords, depth: number): unknown {
    const random = this.#random;
    const tuple = keywords.prefixItems ?? (Array.isArray(keywords.items) ? keywords.items : []);
    const rest = Array.isArray(keywords.items)
      ? (keywords.additionalItems ?? true)
      : (keywords.items ?? true);
    const least = (keywords.minItems as number) ?? 0;
    const most = (keywords.maxItems as number) ?? Math.max(least, (tuple as []).length) + 3;
    let count = depth <= 0 ? least : least + random.below(Math.max(1, most - least + 1));
    if (rest === false) count = Math.min(count, (tuple as []).length);
    const items = Array.from({ length: count }, (_, i) =>
      this.#of((tuple as unknown[])[i] ?? rest, depth - 1),
    );
    if (keywords.contains !== undefined && items.length > 0)
      items[0] = this.#of(keywords.contains, depth - 1);
    return items;
  }

  #string(keywords: Keywords): string {
    const random = this.#random;
    if (typeof keywords.pattern === 'string' && !random.once(6))
      return this.#text(keywords.pattern);
    if (typeof keywords.format === 'string') return randomFormatted(random);
    const least = (keywords.minLength as number) ?? 0;
    const most = (keywords.maxLength as number) ?? least + 10;
    if (keywords.minLength === undefined && random.once(3)) return randomText(random);
    const length = random.pick([least, most, least + random.below(Math.max(1, most - least + 1))]);
    const character = random.pick(['a', 'z', 'é', 'ж', '€', '😀', '"', '\n', ' ', '\\']);
    return character.repeat(Math.min(length, LENGTH_MAX));
  }

  #text(pattern: string): string {
    const sample = this.#schema.samples.get(pattern);
    if (sample !== undefined) return sample(this.#random);
    return this.#random.pick(['x-a', 'a', 'order_id', '10', 'é', 'b1']);
  }

  #number(keywords: Keywords, type: string): number {
    const random = this.#random;
    const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']
      .map((keyword) => keywords[keyword])
      .filter((bound) => typeof bound === 'number');
    let value = bounds.length > 0 && random.once(2) ? random.pick(bounds) : randomNumber(random);
    if (random.once(2)) value += random.pick([1, -1, 0.5, 0, 1e-9]);
    const divisor = keywords.multipleOf;
    if (typeof divisor === 'number') value = Math.round(value / divisor) * divisor;
    return type === 'integer' && !random.once(12) ? Math.round(value) : value;
  }
}
