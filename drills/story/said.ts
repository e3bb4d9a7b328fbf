import type { ChildProcess } from 'node:child_process';

const CHARS_MAX = 16 * 1024;

/** The last of what a process has printed: it is read so that the process does not stall. */
export class Said {
  #text = '';

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#text = (this.#text + text).slice(-CHARS_MAX);
      });
    }
  }

  get text(): string {
    return this.#text;
  }

  /** For a message of one line. */
  get lastLine(): string {
    return this.#text.trim().split('\n').at(-1) || 'it said nothing';
  }
}
