/** Where in the files of a handler an error is that occurred while they were loaded. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The line. */
  readonly text: string;
}

/** Files of Forebay that load a handler: they are in the stack too. */
const OWN = new URL('.', import.meta.url).href;

/** Files whose syntax is checked: the imports of a handler, and theirs. */
const FILES_MAX = 200;
const CHECK_MS_MAX = 5000;

/** What Node writes before the stack of an error of syntax: file and line, the line, and marks below the place. */
const MARKED = /^(?:file:\/\/)?(\/[^\n]*):(\d+)\n([^\n]*)\n(?:([ \t]*)\^)?/;

/** The place that a stack tells; null for none. */
export function placeOfStack(stack: string): Place | null {
  const marked = MARKED.exec(stack);
  if (marked !== null) {
    const [, path, line, text, before] = marked;
    // Without a mark, the place is the end of the text.
    const column = 1 + (before ?? text!).length;
    return { file: decoded(path!), line: Number(line), column, text: text! };
  }
  for (const frame of stack.split('\n')) {
    const at = /^\s+at (?:.*\()?((?:file:\/\/)?\/[^\n]*?):(\d+):(\d+)\)?$/.exec(frame);
    if (at === null || at[1]!.startsWith(OWN)) continue;
    const file = fileOf(at[1]!);
    if (file.includes('/node_modules/')) continue;
    const line = Number(at[2]);
    return { file, line, column: Number(at[3]), text: lineOf(file, line) };
  }
  return null;
}

/**
 * The import that failed; null for other errors, and if it is not found in the text.
 * @param entry the file of the handler
 */
export function placeOfImport(
  error: Error & { readonly url?: string },
  entry: string,
): Place | null {
  const { message } = error;
  const importer = / imported from (\/[^\n]+)$/.exec(message)?.[1];
  const missing = /(?:Cannot find package '|No such built-in module: )([^'\s]+)/.exec(message)?.[1];
  // JSON that is imported as a module.
  const url = error.url ?? /^Module "(file:[^"]+)" needs/.exec(message)?.[1];
  if (missing === undefined && url === undefined) return null;
  for (const file of importer === undefined ? filesFrom(entry) : [importer]) {
    const text = textOf(file);
    for (const { specifier, at } of importsIn(text)) {
      const isPackage = missing !== undefined && `${specifier}/`.startsWith(`${missing}/`);
      if (!isPackage && resolved(specifier, file) !== url) continue;
      const before = text.slice(0, at).split('\n');
      const line = before.length;
      return { file, line, column: before.at(-1)!.length + 1, text: lineOf(file, line) };
    }
  }
  return null;
}

/**
 * The first error of syntax in an ES module or in what it imports: Node does not tell programs where it is. Another
 * process parses the files, and runs none of them.
 */
export function placeInImports(entry: string, message: string): Place | null {
  const code = `const { SourceTextModule } = require('node:vm');
    const { stripTypeScriptTypes } = require('node:module');
    for (const file of process.argv.slice(1)) {
      const text = require('node:fs').readFileSync(file, 'utf8');
      new SourceTextModule(file.endsWith('ts') ? stripTypeScriptTypes(text) : text, { identifier: file });
    }`;
  const args = [
    '--no-warnings',
    '--experimental-vm-modules',
    '-e',
    code,
    '--',
    ...filesFrom(entry),
  ];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: CHECK_MS_MAX });
  return stderr?.includes(message) ? placeOfStack(stderr) : null;
}

/** The file that was probably meant: with an extension, or with that of TypeScript; null for none. */
export function foundAs(missing: string): string | null {
  const stem = missing.slice(0, missing.length - extname(missing).length);
  const tried = [
    ...['.js', '.mjs', '.cjs', '.ts', '.mts', '/index.js', '/index.mjs', '/index.ts'].map(
      (end) => missing + end,
    ),
    ...['.ts', '.mts', '.js', '.mjs', '.cjs'].map((end) => stem + end),
  ];
  return tried.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile()) ?? null;
}

function filesFrom(entry: string): readonly string[] {
  const files = new Set([entry]);
  for (const file of files) {
    for (const { specifier } of importsIn(textOf(file))) {
      const url = /^\.{0,2}\/|^file:/.test(specifier) ? resolved(specifier, file) : '';
      const isModule = /\.(m?js|m?ts)$/.test(url) && url.startsWith('file:');
      if (isModule && files.size < FILES_MAX && existsSync(fileURLToPath(url))) {
        files.add(fileURLToPath(url));
      }
    }
  }
  return [...files];
}

function* importsIn(text: string): Iterable<{ readonly specifier: string; readonly at: number }> {
  const quoted = /\b(?:from|import|require)\s*\(?\s*(['"])([^'"\n]+)\1/g;
  for (const match of text.matchAll(quoted)) {
    const at = match.index + match[0].lastIndexOf(match[1]! + match[2]!);
    yield { specifier: match[2]!, at };
  }
}

/** The URL of a relative import; empty if it is none. */
function resolved(specifier: string, importer: string): string {
  return URL.canParse(specifier, pathToFileURL(importer).href)
    ? new URL(specifier, pathToFileURL(importer)).href
    : '';
}

function fileOf(place: string): string {
  return place.startsWith('file:') ? fileURLToPath(place) : place;
}

/** The path of a URL has escapes; that of CommonJS has none. */
function decoded(path: string): string {
  if (existsSync(path)) return path;
  return URL.canParse(`file://${path}`) ? fileURLToPath(`file://${path}`) : path;
}

function lineOf(file: string, line: number): string {
  return textOf(file).split('\n')[line - 1] ?? '';
}

/** Empty if it cannot be read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
