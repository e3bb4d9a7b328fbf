/** What the threads have in common that load a handler: those of the pool, and that of `forebay check`. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a handler may take to load, including its top-level awaits, and its `prepare`. */
export const LOAD_MS_MAX = 10_000;
const LOAD_STEPS = 20;

/** As Piscina says it. */
const EXITED = /^worker exited with code: (\d+)$/;

const STRIP_TYPES = '--experimental-strip-types';

/** Flags of Node for such a thread: Node 22.6 to 22.17 runs TypeScript with a flag only. Undefined for those of the process. */
export function handlerExecArgv(handlerUrl: string): string[] | undefined {
  const isTypeScript = /\.[mc]?ts$/.test(handlerUrl);
  const { typescript = false } = process.features as { readonly typescript?: string | false };
  const canStrip = process.allowedNodeEnvironmentFlags.has(STRIP_TYPES);
  const isOff = process.execArgv.some((flag) => /^--no-(experimental-)?strip-types$/.test(flag));
  if (!isTypeScript || typescript !== false || !canStrip || isOff) return undefined;
  return [...process.execArgv, STRIP_TYPES];
}

/** The code with which Node.js ends a module that awaits for ever. See "Exit codes" of its documentation. */
const UNSETTLED_AWAIT = 13;

/** What a thread tells while it loads a handler. */
export const LOADED = 'handler loaded';

/** Counted in steps: of the time that the process is stopped, or the machine stalls, one step at most counts. Nothing cancels it. */
export async function untilLoadIsLate(): Promise<void> {
  for (let step = 0; step < LOAD_STEPS; step++) {
    await sleep(LOAD_MS_MAX / LOAD_STEPS, undefined, { ref: false });
  }
}

/** @param after the handler itself was loaded: the function of that name did not return */
export function lateText(after: 'prepare' | 'check' | null): string {
  if (after !== null) return `its ${after} did not return within ${LOAD_MS_MAX} ms`;
  return `it did not load within ${LOAD_MS_MAX} ms: a top-level await or a loop does not end`;
}

/** Why the thread ended while it loaded a handler. @param error as of `Worker` */
export function endedText({ code, message, stack = '' }: NodeJS.ErrnoException): string {
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return 'it ran out of memory while it was loaded; fix: raise --worker-heap-mb';
  }
  const exit = EXITED.exec(message)?.[1];
  if (exit !== undefined) return exitText(Number(exit));
  const place = /\bat [^\n]*?(file:\/\/[^\s)]+:\d+:\d+)/.exec(stack)?.[1];
  return `its thread ended: ${message}${place === undefined ? '' : ` (${place})`}`;
}

/** How a call ended its thread, without the message of an error, which may quote an order. */
export function deathText({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'out of memory (--worker-heap-mb)';
  const exit = EXITED.exec(message)?.[1];
  return exit === undefined ? 'an error that the call left behind' : `process.exit(${exit})`;
}

export function exitText(code: number): string {
  if (code === UNSETTLED_AWAIT) {
    return 'a top-level await never settles: nothing is left that could settle it';
  }
  return `it called process.exit(${code}) while it was loaded`;
}
