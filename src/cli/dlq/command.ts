/** `forebay dlq`: puts together what looks after the dead letters. */
import { once } from 'node:events';
import { FrameIds } from '../../commit/frame-id.js';
import { openDeadLetters } from '../../journal/open.js';
import { WindowLimiter } from '../../limit/window.js';
import { OrderValidator } from '../../schema/validator.js';
import { dlqHelp } from './help.js';
import { parseDlq } from './parse.js';
import { runDlq } from './run.js';

/** What a shell reports of a program that ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/** Where the output is no terminal. */
const COLUMNS = 200;

export const help = dlqHelp;

/** @returns the exit code. @throws OperatorFault wrong usage, or the journal cannot be used */
export async function run(argv: readonly string[]): Promise<number> {
  const { request, journal } = parseDlq(argv, process.env);
  const ids = new FrameIds();
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  const store = await openDeadLetters(journal, {
    newFrameId: () => ids.next(Date.now()),
    log: (_event, line) => note(line),
  });
  const stop = new AbortController();
  // A second one ends it at once, which is as safe as any crash.
  process.once('SIGINT', () => stop.abort());
  const print = printer(() => stop.abort());
  try {
    const desk = {
      store,
      validator: new OrderValidator(),
      limiter: (perSecond: number) => new WindowLimiter(WindowLimiter.memory(perSecond)),
      print,
      note,
      columns: process.stdout.columns ?? COLUMNS,
      stop: stop.signal,
    };
    const code = await runDlq(desk, request);
    return stop.signal.aborted ? EXIT_INTERRUPTED : code;
  } finally {
    await store.close();
  }
}

/** Writes to stdout no faster than it is read; `onGone` is told when nobody reads any more, as with `| head`. */
function printer(onGone: () => void): (text: string | Uint8Array) => Promise<void> {
  let isGone = false;
  process.stdout.on('error', () => {
    isGone = true;
    onGone();
  });
  return async (text) => {
    if (isGone || process.stdout.write(text)) return;
    // Rejects at an error, of which the listener above is told.
    await once(process.stdout, 'drain').catch(() => {});
  };
}
