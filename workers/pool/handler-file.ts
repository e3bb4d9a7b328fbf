import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { closeName } from '../../src/options/suggest.js';

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
  const fault = (why: string) => new OperatorFault(`handler ${handler}: ${why}`, EXIT.usage);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(handler)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file' && !existsSync(handler)) {
    throw fault(`it is a URL (${scheme}:), not a file; fix: name a file, such as ./shop.mjs`);
  }
  if (scheme === 'file' && !URL.canParse(handler)) throw fault('it is not a valid URL of a file');
  const file = scheme === 'file' ? pathOf(handler, fault) : resolve(handler);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw fault(missingText(file));
  if (found.isDirectory()) throw fault(folderText(file));
  if (!found.isFile()) throw fault('it is not a file');
  return pathToFileURL(file).href;
}

function pathOf(url: string, fault: (why: string) => OperatorFault): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw fault('it is not a valid URL of a file');
  }
}

function missingText(file: string): string {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) {
    return `it is a link to ${readlinkSync(file)}, which does not exist`;
  }
  const meant = closeName(basename(file), [...namesIn(dirname(file)), ...BUILT_IN.keys()]);
  const fix =
    meant === undefined
      ? `; fix: name ${[...BUILT_IN.keys()].join(', ')} or a file that exists`
      : `; did you mean ${BUILT_IN.has(meant) ? meant : join(dirname(file), meant)}?`;
  return `there is no such file${file === resolve(basename(file)) ? '' : ` (${file})`}${fix}`;
}

function folderText(folder: string): string {
  const main = namesIn(folder).find((name) => /^index\.[mc]?[jt]s$/.test(name));
  const such = main === undefined ? 'such as shop.mjs' : join(folder, main);
  return `it is a folder; fix: name a file in it, ${such}`;
}

/** Files of a folder; empty if it cannot be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A handler that cannot be loaded. `why` is one line; that of a built-in handler says the remedy too. */
export function handlerFault(handler: string, why: string): OperatorFault {
  const isSaid = BUILT_IN.has(handler) || /; fix: |did you mean/.test(why);
  const remedy = isSaid ? '' : '; fix: correct the module, or name another with --handler';
  return new OperatorFault(`handler ${handler}: ${why}${remedy}`, EXIT.usage);
}
