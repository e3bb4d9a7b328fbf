import type { HandlerModule } from '../../src/model/order.js';
import { loadFaultText, thrownAtLoadText } from './load-fault.js';
import { hasFlag, retryAfterMsOf, valueText } from './thrown.js';

/** What the data is, only the handler knows. */
export type AnyHandlerModule = HandlerModule<unknown>;

/** Handlers that come with Forebay: what they throw is said by themselves. */
const BUILT_IN = new URL('../handlers/', import.meta.url).href;
const EXAMPLE = 'export default async function handle(orders, context) { … }';
/** Exports that are named when there is no default. */
const EXPORTS_MAX = 5;

/** Why a handler cannot be loaded, in one line: where, what is wrong, and what to do. */
export class LoadFault extends Error {
  override readonly name = 'LoadFault';
}

/**
 * The module of a handler.
 *
 * @param url of its file
 * @throws LoadFault it has no handler; or whatever the module throws with `pause: true`
 */
export async function loadModule(url: string): Promise<AnyHandlerModule> {
  let found: Readonly<Record<string, unknown>>;
  try {
    found = await import(url);
  } catch (error) {
    if (hasFlag(error, 'pause')) throw error;
    throw new LoadFault(loadFaultText(error, url));
  }
  const module = unwrapped(found);
  const wrong = wrongExports(module);
  if (wrong !== null) throw new LoadFault(wrong);
  return module as unknown as AnyHandlerModule;
}

/**
 * Calls a function of the module that is called while the server starts.
 *
 * @throws LoadFault it threw; or what it threw, if it asks for a pause
 */
export async function calledAtLoad<T>(
  name: 'prepare' | 'check',
  url: string,
  call: () => T | Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const asksToWait = hasFlag(error, 'pause') || retryAfterMsOf(error) !== null;
    if (asksToWait || url.startsWith(BUILT_IN)) throw error;
    throw new LoadFault(thrownAtLoadText(name, error));
  }
}

/** CommonJS that was compiled from an ES module has its exports, with `default`, in the default export. */
function unwrapped(found: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const inner = found.default as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof inner !== 'object' || inner === null) return found;
  return inner.__esModule === true && typeof inner.default === 'function' ? inner : found;
}

/** Null if there is a handler. */
function wrongExports(module: Readonly<Record<string, unknown>>): string | null {
  const { default: handler } = module;
  if (!('default' in module)) return noDefault(Object.keys(module));
  if (typeof handler !== 'function') {
    return `the default export is ${valueText(handler)}, not a function; fix: write ${EXAMPLE}`;
  }
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    return `the default export is the class ${handler.name}, not a function; fix: write ${EXAMPLE}`;
  }
  for (const name of ['prepare', 'check']) {
    const found = module[name];
    if (found === undefined || typeof found === 'function') continue;
    return `the export ${name} is ${valueText(found)}, not a function`;
  }
  return null;
}

function noDefault(names: readonly string[]): string {
  if (names.length === 0) return `it exports nothing; fix: write ${EXAMPLE}`;
  const more = names.length > EXPORTS_MAX ? ', …' : '';
  const listed = `${names.slice(0, EXPORTS_MAX).join(', ')}${more}`;
  return `it has no default export, only ${listed}; fix: write ${EXAMPLE}`;
}
