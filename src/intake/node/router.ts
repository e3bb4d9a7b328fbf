import type { Route, RouteHandler } from '../http.js';

/** The route of a request, and the value of its placeholder. Valid until the next search. */
export interface Match {
  answer: RouteHandler;
  parameter: string;
}

const PLACEHOLDER = ':id';
const EVERY_PATH = '/*';

/** Finds the route of a request, as uWebSockets.js does: paths are compared as they are spelled. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #match: Match;

  /** The last route must match everything. */
  constructor(routes: readonly Route[]) {
    this.#routes = routes;
    this.#match = { answer: routes.at(-1)!.answer, parameter: '' };
  }

  /** @param method in lower case */
  find(method: string, target: string): Match {
    const path = pathOf(target);
    for (const route of this.#routes) {
      if (route.method !== 'any' && route.method !== method) continue;
      const parameter = parameterOf(route.path, path);
      if (parameter === null) continue;
      this.#match.answer = route.answer;
      this.#match.parameter = parameter;
      break;
    }
    return this.#match;
  }
}

/** The value of the placeholder in `path`, empty if the pattern has none; null if the pattern does not match. */
function parameterOf(pattern: string, path: string): string | null {
  if (pattern === EVERY_PATH || pattern === path) return '';
  if (!pattern.endsWith(PLACEHOLDER)) return null;
  const start = pattern.length - PLACEHOLDER.length;
  if (path.length === start || !path.startsWith(pattern.slice(0, start))) return null;
  return path.includes('/', start) ? null : path.slice(start);
}

/** The path of a target such as `/orders?a=b` or `http://host/orders` (RFC 9112, 3.2). */
function pathOf(target: string): string {
  let path = target;
  if (!path.startsWith('/')) {
    const authority = /^https?:\/\/[^/?#]*/i.exec(path);
    if (authority !== null) path = path.slice(authority[0].length);
    if (!path.startsWith('/')) path = `/${path}`;
  }
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}
