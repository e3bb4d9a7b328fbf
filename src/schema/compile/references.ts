/** Follows references inside one schema file. Those that leave it, or that need more than a JSON pointer or an anchor, are ajv's. */

export type Schema = boolean | { readonly [keyword: string]: unknown };

export interface Target {
  readonly pointer: string;
  readonly schema: Schema;
}

export class References {
  readonly #root: Schema;
  readonly #base: string;

  constructor(root: Schema) {
    this.#root = root;
    this.#base = typeof root === 'object' && typeof root.$id === 'string' ? root.$id : '';
  }

  /** What `$ref` points to, or null if only ajv can tell. */
  resolve(reference: string): Target | null {
    const isLocal = reference.startsWith('#');
    if (!isLocal && this.#base !== '' && reference === this.#base) return this.#at('');
    const prefix = isLocal ? '#' : `${this.#base.replace(/#$/, '')}#`;
    if (prefix === '#' && !isLocal) return null;
    if (!reference.startsWith(prefix)) return null;
    const fragment = decoded(reference.slice(prefix.length));
    if (fragment === null) return null;
    return fragment === '' || fragment.startsWith('/') ? this.#at(fragment) : null;
  }

  #at(pointer: string): Target | null {
    let value: unknown = this.#root;
    for (const part of pointer.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
      value = (value as Record<string, unknown>)[name];
    }
    return isSchema(value) ? { pointer, schema: value } : null;
  }
}

function decoded(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return null;
  }
}

function isSchema(value: unknown): value is Schema {
  return (
    typeof value === 'boolean' ||
    (typeof value === 'object' && value !== null && !Array.isArray(value))
  );
}

/** The JSON pointer of a member of the value at `pointer`. */
export function pointerTo(pointer: string, ...names: (string | number)[]): string {
  const parts = names.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return pointer + parts.join('');
}
