import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

const CONTRACT = 'async (orders, context) => outcomes';

/** Why a module without a handler cannot be loaded. */
export const NO_HANDLER = `the default export is not a function: it must be ${CONTRACT}`;

/** The handlers that come with Forebay, and where each is. */
const BUILT_IN: ReadonlyMap<string, URL> = new Map(
  ['simulate', 'postgres'].map((name) => [
    name,
    new URL(`../handlers/${name}.js`, import.meta.url),
  ]),
);

/**
 * The URL of the module that `--handler` stands for: a built-in one by its name, else a file.
 *
 * @throws OperatorFault there is no such file
 */
export function handlerUrl(handler: string): string {
  const builtIn = BUILT_IN.get(handler);
  if (builtIn !== undefined) return builtIn.href;
  const file = resolve(handler);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) {
    const why = found === undefined ? 'there is no such file' : 'it is not a file';
    const names = [...BUILT_IN.keys()].join(', ');
    throw new OperatorFault(
      `handler ${handler}: ${why}; name ${names}, or an ES module whose default export is ${CONTRACT}`,
      EXIT.usage,
    );
  }
  return pathToFileURL(file).href;
}

/** A handler that cannot be loaded. `why` is one line; that of a built-in handler says the remedy too. */
export function handlerFault(handler: string, why: string): OperatorFault {
  const remedy = BUILT_IN.has(handler)
    ? ''
    : '; correct the module, or name another with --handler';
  return new OperatorFault(`handler ${handler}: ${why}${remedy}`, EXIT.usage);
}
