import { OperatorFault } from '../../src/model/fault.js';

/** An error on its way to another thread: a clone of an error has neither a class of ours nor a code. */
export interface SentError {
  readonly error: Error;
  readonly code: string | null;
  /** Of an OperatorFault; null of others. */
  readonly exitCode: number | null;
}

export function sentError(thrown: unknown): SentError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code = null } = error as { code?: string };
  return { error, code, exitCode: error instanceof OperatorFault ? error.exitCode : null };
}

export function receivedError({ error, code, exitCode }: SentError): Error {
  if (exitCode !== null) return new OperatorFault(error.message, exitCode);
  return code === null ? error : Object.assign(error, { code });
}
