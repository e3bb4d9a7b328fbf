import { readFileSync } from 'node:fs';
import { bodies } from '../k6/lib/body.js';
import { flagFault } from './flags.js';

/** A line of help, for `--body`. */
export const BODY_HELP = 'file with the body; {{n}} {{uuid}} {{time}} vary';
/** The same, for `--path`. */
export const PATH_HELP = "the server's --path";
export const PATH = '/orders';

/** @throws OperatorFault it is not the path of a URL */
export function checkedPath(command: string, path: string): string {
  if (/^\/[^\s?#]*$/.test(path)) return path;
  throw flagFault(command, `--path ${path}: must be a path such as ${PATH}`);
}

/**
 * Reads the file that `--body` names.
 *
 * @returns its text; empty for the built-in order, if `file` is empty
 * @throws OperatorFault it cannot be read, or is not JSON
 */
export function readBody(command: string, file: string): string {
  if (file === '') return '';
  const text = readOrFail(command, file);
  try {
    JSON.parse(bodies(text)(1));
  } catch (error) {
    throw flagFault(command, `--body ${file}: not JSON: ${(error as Error).message}`);
  }
  return text;
}

function readOrFail(command: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw flagFault(command, `--body ${file}: ${why}`);
  }
}
