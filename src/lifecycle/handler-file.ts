import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EXIT, OperatorFault } from '../contract/fault.js';

/**
 * What `--handler` stands for: `simulate` as it is, a file as its URL.
 *
 * @throws OperatorFault when there is no such file
 */
export function handlerUrl(handler: string): string {
  if (handler === 'simulate') return handler;
  const file = resolve(handler);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw handlerFault(handler, 'there is no such file');
  }
  return pathToFileURL(file).href;
}

export function handlerFault(handler: string, why: string): OperatorFault {
  const remedy =
    'it must be an ES module whose default export is async (orders, context) => outcomes';
  return new OperatorFault(`handler ${handler}: ${why}; ${remedy}`, EXIT.usage);
}
