import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT, OperatorFault } from '../../src/model/fault.js';

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
 * @throws OperatorFault when there is no such file
 */
export function handlerUrl(handler: string): string {
  const builtIn = BUILT_IN.get(handler);
  if (builtIn !== undefined) return builtIn.href;
  const file = resolve(handler);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw handlerFault(handler, 'there is no such file');
  }
  return pathToFileURL(file).href;
}

/** `why` is one line; that of a built-in handler says the remedy too. */
export function handlerFault(handler: string, why: string): OperatorFault {
  const remedy = BUILT_IN.has(handler)
    ? ''
    : '; it must be an ES module whose default export is async (orders, context) => outcomes';
  return new OperatorFault(`handler ${handler}: ${why}${remedy}`, EXIT.usage);
}
