import type { Schema, SchemaObject } from './subschemas.js';
import { subschemasOf, visitSchemas } from './subschemas.js';

/** Keywords whose schemas apply to the same value as the schema that they are in. */
const IN_PLACE = /^\/(?:allOf|anyOf|oneOf|not|if|then|else|dependentSchemas|dependencies)(?:\/|$)/;

/**
 * The JSON pointer of a schema whose `$ref` leads back to it without going into the value, or null: no validation of it
 * would end. Only references to JSON pointers and anchors of the same file are followed.
 */
export function selfReference(root: Schema): string | null {
  const schemas = new Map<string, SchemaObject>();
  const anchors = new Map<string, string>();
  visitSchemas(root, (schema, pointer) => {
    schemas.set(pointer, schema);
    if (typeof schema.$anchor === 'string') anchors.set(schema.$anchor, pointer);
  });
  const done = new Set<string>();
  const path = new Set<string>();
  const loopsAt = (pointer: string): string | null => {
    const schema = schemas.get(pointer);
    if (schema === undefined || done.has(pointer)) return null;
    if (path.has(pointer)) return pointer;
    path.add(pointer);
    const inner = subschemasOf(schema)
      .filter((one) => IN_PLACE.test(one.pointer))
      .map((one) => pointer + one.pointer);
    const target = targetOf(schema.$ref, anchors);
    if (target !== null) inner.unshift(target);
    for (const next of inner) {
      const loop = loopsAt(next);
      if (loop !== null) return next === target && path.has(target) ? pointer : loop;
    }
    path.delete(pointer);
    done.add(pointer);
    return null;
  };
  for (const pointer of schemas.keys()) {
    const loop = loopsAt(pointer);
    if (loop !== null) return loop;
  }
  return null;
}

function targetOf(reference: unknown, anchors: ReadonlyMap<string, string>): string | null {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return null;
  const fragment = decoded(reference.slice(1));
  return fragment === '' || fragment.startsWith('/') ? fragment : (anchors.get(fragment) ?? null);
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
