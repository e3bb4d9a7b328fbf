/**
 * An error that the operator can fix: printed as one line without a stack, and the process ends with `exitCode`. The
 * message has the object, its value and the fix.
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
  /** An error of the environment, such as a port in use or a disk that rejects writes. */
  failed: 1,
  /** A configuration error in options, handler or stream settings: a restart does not help. */
  usage: 2,
} as const;

/** Why a file could not be read, in words. @param error of `node:fs` */
export function whyNotRead(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'this user may not read it';
  return message.split('\n', 1)[0]!;
}
