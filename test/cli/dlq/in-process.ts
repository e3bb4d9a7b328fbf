import { Writable } from 'node:stream';
import { run } from '../../../src/cli/dlq/command.js';
import { OperatorFault } from '../../../src/model/fault.js';

export interface DlqEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `forebay dlq` in this process: the same code as the command, without the start of a process. */
export async function runDlq(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  columns?: number,
): Promise<DlqEnd> {
  const stdout = new Collected(columns);
  const stderr = new Collected();
  const io = { stdout, stderr, env: { ...process.env, ...env } };
  const signals = { onStop: () => {}, reset: () => {} };
  let code: number;
  try {
    code = await run(args, signals, io);
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error;
    // As src/cli/commands.ts does.
    stderr.write(`forebay: ${error.message}\n`);
    code = error.exitCode;
  }
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collected extends Writable {
  /** Of a terminal. */
  readonly columns?: number;
  readonly #chunks: Buffer[] = [];

  constructor(columns?: number) {
    super();
    if (columns !== undefined) this.columns = columns;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
