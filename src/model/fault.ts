/**
 * A fault that the operator can mend: shown as one line, without a stack, and the process ends with
 * `exitCode`. The message names the thing, the value and the remedy.
 */
export class OperatorFault extends Error {
  override readonly name = 'OperatorFault';
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Exit codes of the forebay command. */
export const EXIT = {
  ok: 0,
  /** A fault of the surroundings: a port taken, a disk that takes no writes. */
  failed: 1,
  /** The options, the handler file, or the declared stream are wrong: starting again won't help. */
  usage: 2,
} as const;
