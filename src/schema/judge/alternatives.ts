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

  /** Whether the value has all constants of an alternative, and there are some. */
  #isMeant(branch: Schema, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const schema = this.#resolved(branch);
    const members = Object.entries((schema.properties as object | undefined) ?? {});
    const constants = members.flatMap(([name, member]) => {
      const { const: constant, enum: values } = this.#resolved(member);
      const allowed = Array.isArray(values) ? values : [constant];
      return allowed[0] === undefined ? [] : [{ name, allowed }];
    });
    return (
      constants.length > 0 &&
      constants.every(
        ({ name, allowed }) =>
          Object.hasOwn(value, name) && allowed.includes((value as SchemaObject)[name]),
      )
    );
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

/** Most schemas in an alternative: ajv compiles it once more, while the intake thread waits. */
const SCHEMAS_MAX = 200;

function isLarge(branch: Schema): boolean {
  let count = 0;
  visitSchemas(branch, () => {
    count++;
  });
  return count > SCHEMAS_MAX;
}
