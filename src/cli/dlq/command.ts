import { once } from 'node:events';
import { FrameIds } from '../../commit/frame-id.js';
import { openDeadLetters } from '../../journal/open.js';
import { WindowLimiter } from '../../limit/window.js';
import { OrderValidator } from '../../schema/validator.js';
import { type DlqRequest, parseDlq } from './arguments.js';
import { drop } from './drop.js';
import { list, show } from './list.js';
import { replay } from './replay.js';
import type { DlqContext } from './select.js';

/** `forebay dlq`: puts together what looks after the dead letters. */

/** What a shell reports of a program that ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/** Where the output is no terminal. */
const COLUMNS = 200;

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
    const context = {
      store,
      validator: new OrderValidator(),
      limiter: (perSecond: number) => new WindowLimiter(WindowLimiter.memory(perSecond)),
      print,
      note,
      columns: process.stdout.columns ?? COLUMNS,
      stop: stop.signal,
    };
    const code = await runDlq(context, request);
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

/** @returns the exit code. @throws OperatorFault the journal failed on the way */
function runDlq(context: DlqContext, request: DlqRequest): Promise<number> {
  switch (request.do) {
    case 'list':
      return list(context, request);
    case 'show':
      return show(context, request);
    case 'replay':
      return replay(context, request);
    case 'drop':
      return drop(context, request);
  }
}

/** What `forebay dlq --help` prints. */
export function help(): string {
  return `forebay dlq: looks after the dead letters, the orders that failed for good. The server may run.

  forebay dlq list    [--reason TEXT] [--limit N] [--json]
  forebay dlq show ID [--json]
  forebay dlq replay  ID... | --all | --reason TEXT   [--dry-run] [--rate N]
  forebay dlq drop    ID... | --all | --reason TEXT   [--dry-run] [--yes]

  replay files orders again, as first attempts, with the ids and bytes they have; an order that
  fails again is a dead letter again. drop deletes them for good.

  --all             every dead letter; drop wants --yes with it
  --reason TEXT     those whose reason contains TEXT
  --dry-run         say what would be done, and do nothing
  --rate N          at most N orders in any second (1 to 1000000)
  --limit N         list the first N
  --json            one JSON object a line
  --data FOLDER     the server's data folder (./data)
  --nats URLS       its NATS servers; with any, the journal is JetStream
  --nats-stream S   its stream there (FOREBAY)
  --config FILE     its options file; FOREBAY_DATA, FOREBAY_NATS and so on count too

Examples
  forebay dlq list --reason 'no such product' --limit 20
  forebay dlq replay --all --rate 100 --nats nats://127.0.0.1:4222
  forebay dlq drop 01K3V6GQ7M8ZQW4T9XB2C00000-7

Exit codes
  0    done
  1    something is left (an order that is invalid now, an unknown id), or no journal is reached
  2    wrong usage
  130  stopped by Ctrl-C, after what it says
`;
}
