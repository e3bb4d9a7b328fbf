import type { ErrorObject } from 'ajv';
import { type Schema, type SchemaObject, visitSchemas } from './subschemas.js';

/** An alternative of `oneOf` or `anyOf`, and the value that it has refused. */
export interface Alternative {
  /** JSON pointer of the alternative in the schema. */
  readonly pointer: string;
  readonly value: unknown;
  /** JSON pointer of the value in the body. */
  readonly instancePath: string;
}

/**
 * Finds the alternative that a body means: the only one whose constants the value has, such as `"kind": "card"`. Without
 * it, the first error would be about the first alternative, whatever the client has sent.
 */
export class Alternatives {
  readonly #root: Schema;
  readonly #pointers = new Map<unknown, string>();

  /** @param schema the object that ajv has compiled */
  constructor(schema: Schema) {
    this.#root = schema;
    visitSchemas(schema, (inner, pointer) => this.#pointers.set(inner, pointer));
  }

  /** The alternative that `union` is about, or null. @param union an error of ajv with `verbose` */
  meantBy(union: ErrorObject): Alternative | null {
    const { keyword, schema, parentSchema, data: value, instancePath } = union;
    const pointer = this.#pointers.get(parentSchema);
    if (pointer === undefined) return null;
    const branches = schema as Schema[];
    if (branches.some(isLarge)) return null;
    const meant = branches.flatMap((branch, i) =>
      this.#isMeant(branch, value) ? [`${pointer}/${keyword}/${i}`] : [],
    );
    return meant.length === 1 ? { pointer: meant[0]!, value, instancePath } : null;
  }

  /**
   * A member that all alternatives have with constants, if the value has it with another one; else null. An error about
   * any other member would lead the client astray. @param union an error of ajv with `verbose`
   */
  unknownTag({ schema, data: value }: ErrorObject): Constant | null {
    const branches = schema as Schema[];
    if (typeof value !== 'object' || value === null || branches.some(isLarge)) return null;
    const [first, ...others] = branches.map((branch) => this.#constantsOf(branch));
    const isUnknown = (tag: Constant) => Object.hasOwn(value, tag.name) && !has(value, tag);
    const isUnknownIn = (constants: Constant[], { name }: Constant) =>
      constants.some((one) => one.name === name && isUnknown(one));
    const tags = first!.filter((tag) => isUnknown(tag));
    return tags.find((tag) => others.every((other) => isUnknownIn(other, tag))) ?? null;
  }

  /** Whether the value has all constants of an alternative, and there are some. */
  #isMeant(branch: Schema, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const constants = this.#constantsOf(branch);
    return constants.length > 0 && constants.every((one) => has(value, one));
  }

  /** The members of an alternative that must have one of some values. */
  #constantsOf(branch: Schema): Constant[] {
    const { properties = {} } = this.#resolved(branch);
    return Object.entries(properties as object).flatMap(([name, member]) => {
      const { const: constant, enum: values } = this.#resolved(member);
      const keyword = Array.isArray(values) ? 'enum' : 'const';
      const allowed = Array.isArray(values) ? values : [constant];
      return allowed[0] === undefined ? [] : [{ name, keyword, allowed }];
    });
  }

  /** With a reference to a part of the same file followed once. */
  #resolved(schema: Schema): SchemaObject {
    if (typeof schema === 'boolean') return {};
    const { $ref } = schema;
    if (typeof $ref !== 'string' || !$ref.startsWith('#/')) return schema;
    let at: unknown = this.#root;
    for (const part of $ref.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      at = (at as SchemaObject | undefined)?.[name];
    }
    return typeof at === 'object' && at !== null ? (at as SchemaObject) : schema;
  }
}

/** A member that must have one of some values. */
export interface Constant {
  readonly name: string;
  readonly keyword: string;
  readonly allowed: readonly unknown[];
}

function has(value: object, { name, allowed }: Constant): boolean {
  return Object.hasOwn(value, name) && allowed.includes((value as SchemaObject)[name]);
}

/** Most schemas in an alternative: ajv compiles it once more, while the intake thread waits. */
const SCHEMAS_MAX = 200;

function isLarge(branch: Schema): boolean {
  let count = 0;
  visitSchemas(branch, () => {
    count++;
  });
  return count > SCHEMAS_MAX;
}
