import { isPointer, pointerTokens } from './key-in-order.js';

type Node = Readonly<Record<string, unknown>>;

/** `$ref` and `allOf` inside each other that are followed. */
const DEPTH_MAX = 32;
/** Steps after which the search gives up: a schema can refer to itself in many ways. */
const STEPS_MAX = 10_000;

/**
 * Whether each body that is valid against the schema has a text or an integer at the pointer. It may say no where it cannot
 * tell, never yes where it is not so.
 *
 * @returns empty if so, else what the schema lacks
 */
export function whyNoKey(schema: unknown, pointer: string): string {
  if (!isPointer(pointer)) return 'it is not a JSON pointer';
  return whyNot({ root: schema, left: STEPS_MAX }, [schema], pointerTokens(pointer), '');
}

interface Search {
  readonly root: unknown;
  left: number;
}

/** @param nodes schemas that all apply to the value at `path` */
function whyNot(
  search: Search,
  nodes: readonly unknown[],
  tokens: readonly string[],
  path: string,
): string {
  if (search.left-- <= 0) return 'the schema is too involved to tell';
  const all = nodes.flatMap((node) => conjuncts(search.root, node, 0));
  const why = whyNotDirectly(search, all, tokens, path);
  if (why === '') return '';
  // A value is valid against one of the alternatives: each of them must guarantee it.
  const isInEach = all
    .flatMap(({ anyOf, oneOf }) => [anyOf, oneOf].filter(isSome))
    .some((alternatives) =>
      alternatives.every((each) => whyNot(search, [...without(all), each], tokens, path) === ''),
    );
  return isInEach ? '' : why;
}

function whyNotDirectly(
  search: Search,
  all: readonly Node[],
  [token, ...rest]: readonly string[],
  path: string,
): string {
  if (token === undefined) return whyNoText(all, path);
  const why = whyNoPart(all, token, path);
  if (why !== '') return why;
  const next = `${path}/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return whyNot(search, partSchemas(all, token), rest, next);
}

function isSome(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

/** So that each group of alternatives is followed once. */
function without(nodes: readonly Node[]): Node[] {
  return nodes.map(({ anyOf: _any, oneOf: _one, ...rest }) => rest);
}

/** The schemas that apply besides `node`: by `$ref` and `allOf`. */
function conjuncts(root: unknown, node: unknown, depth: number): Node[] {
  if (!isObject(node) || depth === DEPTH_MAX) return [];
  const { $ref, allOf } = node;
  const target = typeof $ref === 'string' ? referred(root, $ref) : undefined;
  const others = [target, ...(Array.isArray(allOf) ? allOf : [])];
  const { $ref: _ref, allOf: _all, ...own } = node;
  return [own, ...others.flatMap((other) => conjuncts(root, other, depth + 1))];
}

/** What a reference into the same document stands for. */
function referred(root: unknown, ref: string): unknown {
  if (ref !== '#' && !ref.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const token of pointerTokens(decodeURIComponent(ref.slice(1)))) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, token)) return undefined;
    at = (at as Node)[token];
  }
  return at;
}

function whyNoPart(all: readonly Node[], token: string, path: string): string {
  const shown = path === '' ? '/' : path;
  const part = `${path}/${token}`;
  if (all.some(({ type }) => isOnly(type, ['array']))) {
    const index = /^(?:0|[1-9]\d{0,8})$/.test(token) ? Number(token) : Number.POSITIVE_INFINITY;
    const has = all.some(({ minItems }) => typeof minItems === 'number' && minItems > index);
    return has ? '' : `the schema does not say that ${shown} has an item ${token}: minItems`;
  }
  if (!all.some(({ type }) => isOnly(type, ['object']))) {
    return `the schema does not say that ${shown} is an object`;
  }
  const has = all.some(({ required }) => Array.isArray(required) && required.includes(token));
  return has ? '' : `the schema does not require ${part}`;
}

function partSchemas(all: readonly Node[], token: string): unknown[] {
  return all.flatMap(({ properties, additionalProperties, prefixItems, items }) => {
    if (isObject(properties) && Object.hasOwn(properties, token)) return [properties[token]];
    const first = Array.isArray(items) ? items : prefixItems;
    if (/^\d+$/.test(token) && Array.isArray(first) && Number(token) < first.length) {
      return [first[Number(token)]];
    }
    return [additionalProperties, Array.isArray(items) ? undefined : items];
  });
}

function whyNoText(all: readonly Node[], path: string): string {
  const isGiven = all.some((node) => {
    if (isOnly(node.type, ['string', 'integer'])) return true;
    if (Object.hasOwn(node, 'const')) return isKey(node.const);
    return Array.isArray(node.enum) && node.enum.every(isKey);
  });
  return isGiven ? '' : `the schema does not say that ${path} is a string or an integer`;
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' || Number.isInteger(value);
}

function isOnly(type: unknown, allowed: readonly string[]): boolean {
  const types = Array.isArray(type) ? type : [type];
  return types.length > 0 && types.every((each) => allowed.includes(each));
}

function isObject(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
