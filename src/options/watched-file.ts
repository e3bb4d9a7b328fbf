import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { EXIT, OperatorFault, whyNotRead } from '../model/fault.js';
import type { Log, LogEvent } from '../model/log.js';

/** Interval at which the file is read again. */
const CHECK_MS = 1000;
const BYTES_MAX = 1024 * 1024;

export interface WatchedFileParts<T> {
  /** The option that names the file, with its hyphens. */
  readonly flag: string;
  readonly file: string;
  /** @throws Error says what is wrong with the content, without quoting it */
  readonly parse: (text: string) => T;
  /** What to do about it. */
  readonly fix: string;
  /** Logged when a changed file is in use, and when it cannot be used. */
  readonly renewed: LogEvent;
  readonly refused: LogEvent;
}

/**
 * A file that an option names, and its changes. It is read again every second, which works for files that are
 * written in place or replaced, and for links that move, as in a volume of Kubernetes. A content that cannot be used is
 * logged once, and the one before stays in use.
 */
export class WatchedFile<T> {
  readonly #parts: WatchedFileParts<T>;
  readonly #log: Log;
  /** The content that was judged last. */
  #judged: string;
  /** The content at the last look. */
  #seen: string;
  #value: T;
  #isRefused = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;

  /** @throws OperatorFault the file cannot be read, or used */
  constructor(parts: WatchedFileParts<T>, log: Log) {
    this.#parts = parts;
    this.#log = log;
    const text = readSync(parts.file);
    this.#value = contentOf(parts, text);
    this.#judged = this.#seen = identity(text);
  }

  get value(): T {
    return this.#value;
  }

  /** Whether the file has changed and its content is not used. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** @param use called with each new content, one after the other; resolves when it is in use */
  watch(use: (value: T) => Promise<void>): void {
    const look = async () => {
      await this.#look(use);
      if (!this.#isClosed) this.#lookLater(look);
    };
    this.#lookLater(look);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #lookLater(look: () => Promise<void>): void {
    this.#timer = setTimeout(() => void look(), CHECK_MS);
    this.#timer.unref();
  }

  /** A file that is still being written is different at the next look. */
  async #look(use: (value: T) => Promise<void>): Promise<void> {
    const { flag, file, renewed, refused } = this.#parts;
    const text = await readFile(file).catch((error: Error) => error);
    if (this.#isClosed) return;
    const now = identity(text);
    const isSettled = now === this.#seen;
    this.#seen = now;
    if (!isSettled || now === this.#judged) return;
    this.#judged = now;
    try {
      this.#value = contentOf(this.#parts, text);
    } catch (error) {
      if (!(error instanceof OperatorFault)) throw error;
      this.#isRefused = true;
      const kept = 'the content before stays in use';
      this.#log(refused, `a changed file is not used: ${error.message}; ${kept}`);
      return;
    }
    await use(this.#value);
    this.#isRefused = false;
    this.#log(renewed, `the changed file of ${flag} is in use`, { file });
  }
}

function readSync(file: string): Buffer | Error {
  try {
    return readFileSync(file);
  } catch (error) {
    return error as Error;
  }
}

function identity(text: Buffer | Error): string {
  return text instanceof Error ? text.message : text.toString('latin1');
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** @throws OperatorFault the file cannot be read, or used */
function contentOf<T>({ flag, file, parse, fix }: WatchedFileParts<T>, text: Buffer | Error): T {
  const fault = (why: string, exitCode: number, what = fix) =>
    new OperatorFault(`${flag} ${file}: ${why}; fix: ${what}`, exitCode);
  if (text instanceof Error) {
    throw fault(whyNotRead(text), EXIT.failed, 'name a file that Forebay can read');
  }
  if (text.length > BYTES_MAX) throw fault(`it has more than ${BYTES_MAX} bytes`, EXIT.usage);
  let decoded: string;
  try {
    decoded = strict.decode(text);
  } catch {
    throw fault('it is not UTF-8', EXIT.usage);
  }
  try {
    return parse(decoded);
  } catch (error) {
    throw fault((error as Error).message, EXIT.usage);
  }
}
