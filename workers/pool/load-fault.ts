/**
 * Why a module cannot be loaded, for who wrote it: file, line and column, and what is wrong. Node tells the place of most
 * errors only to a terminal, in the stack, or not at all.
 */
import { existsSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { foundAs, type Place, placeInImports, placeOfImport, placeOfStack } from './load-place.js';
import { oneLine, valueText } from './thrown.js';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts']);
const MESSAGE_CHARS_MAX = 400;
const TYPES_ONLY =
  '; fix: Node only removes types: write it in another way, or compile the handler';
const ES_MODULE = '; fix: name the file .mjs, or put "type": "module" into its package.json';

/** @param url of the file of the handler */
export function loadFaultText(error: unknown, url: string): string {
  if (!(error instanceof Error)) return `it threw ${valueText(error)} while it was loaded`;
  const file = fileURLToPath(url);
  const { code = '' } = error as NodeJS.ErrnoException;
  const wrongKind = wrongKindText(code, error.message, file);
  if (wrongKind !== null) return wrongKind;
  const place = placeOf(error, file);
  const where = whereText(place);
  const message = messageOf(error);
  return `${where}${error.name}: ${message}${hintOf(error, message, place)}`;
}

/** What a function threw that is called at the start. */
export function thrownAtLoadText(name: string, error: unknown): string {
  if (!(error instanceof Error)) return `its ${name} threw ${valueText(error)}`;
  const where = whereText(placeOfStack(error.stack ?? ''));
  return `its ${name} threw ${where}${error.name}: ${messageOf(error)}`;
}

function whereText(place: Place | null): string {
  return place === null ? '' : `${shown(place.file)}:${place.line}:${place.column}: `;
}

/** Null unless the file of the handler is not a module that Node can run. */
function wrongKindText(code: string, message: string, file: string): string | null {
  const extension = extname(file);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && message.includes(file)) {
    if (TYPESCRIPT.has(extension)) {
      return `Node ${process.versions.node} cannot run TypeScript; fix: use Node 22.18 or later, or compile the handler to JavaScript`;
    }
    return `Node cannot run a file with the extension ${extension}; fix: compile it to an ES module, .mjs or .js`;
  }
  // Its name depends on the version of Node.
  if (/^ERR_IMPORT_A\w+_MISSING$/.test(code) && extension === '.json') {
    return 'it is JSON; fix: name an ES module, .mjs or .js, whose default export is a function';
  }
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return 'Node runs no TypeScript in node_modules; fix: compile the handler to JavaScript, or move it';
  }
  return null;
}

/** As Node 22.6 to 22.17 tells errors of TypeScript: a drawing of the place. */
const DRAWN = /^\s*x\s+([^\n]*)\s[^[]*\[(\d+):(\d+)\]/;

function placeOf(error: Error, file: string): Place | null {
  const drawn = DRAWN.exec(error.message);
  if (drawn !== null) return { file, line: Number(drawn[2]), column: Number(drawn[3]), text: '' };
  const place = placeOfImport(error, file) ?? placeOfStack(error.stack ?? '');
  if (place !== null || !(error instanceof SyntaxError)) return place;
  return placeInImports(file, error.message);
}

/** CommonJS lists the files that require it, and other messages explain in further lines. */
function messageOf({ message }: Error): string {
  return oneLine(
    DRAWN.exec(message)?.[1] ?? message.split('\nRequire stack:')[0]!,
    MESSAGE_CHARS_MAX,
  );
}

function hintOf(error: Error, message: string, place: Place | null): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return missingHint(error);
  if (/ is not supported in strip-only mode/.test(message)) return TYPES_ONLY;
  if (!(error instanceof SyntaxError)) {
    const isCommon = /^(module|exports) is not defined/.test(message);
    return isCommon ? '; fix: in an ES module write export default, or name the file .cjs' : '';
  }
  if (/outside a module|Unexpected token 'export'/.test(message)) return ES_MODULE;
  if (place === null) return '';
  const isTypeScript = TYPESCRIPT.has(extname(place.file));
  const name = /does not provide an export named '(.+)'/.exec(message)?.[1];
  if (name !== undefined && isTypeScript) {
    return `; fix: if ${name} is a type, write import type { ${name} }`;
  }
  const isDecorator = place.text.trimStart().startsWith('@');
  return isTypeScript && isDecorator ? `; a decorator is no JavaScript yet${TYPES_ONLY}` : '';
}

function missingHint(error: Error): string {
  const name = /Cannot find package '([^']+)'/.exec(error.message)?.[1];
  if (name !== undefined) return `; fix: npm install ${name}`;
  const { url } = error as { readonly url?: string };
  const found = url?.startsWith('file:') ? foundAs(fileURLToPath(url)) : null;
  return found === null ? '' : `; did you mean ${shown(found)}?`;
}

/** As the operator would type it. */
function shown(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') || !existsSync(near) ? file : near;
}
