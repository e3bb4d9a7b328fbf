/** `forebay dlq`: opens the dead letters of a journal and runs one subcommand on them. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { FrameIds } from '../../commit/frame-id.js';
import { openDeadLetters, openUnreadable } from '../../journal/open.js';
import { WindowLimiter } from '../../limit/window.js';
import type { Options } from '../../model/options.js';
import { EXIT_BY_SIGNAL, type StopSignal, type StopSignals } from '../../model/stop-signals.js';
import { redactorOf } from '../../options/load.js';
import { exposureText } from '../../options/spec.js';
import { claimPid } from '../../process/pid-lock.js';
import { loadContract } from '../../schema/load-contract.js';
import { openValidator } from '../../schema/validator.js';
import {
  type DlqRequest,
  parseDlq,
  type SetAsideRequest,
  type UnreadableRequest,
} from './arguments.js';
import { drop } from './drop.js';
import { list, show } from './list.js';
import { replay } from './replay.js';
import type { DlqContext } from './select.js';
import { setAsideRows, unreadable } from './unreadable.js';

/** Line width when stdout is not a terminal. */
const COLUMNS = 200;

/** What the command uses of its process. */
export interface DlqIo {
  readonly stdout: Writable & { readonly columns?: number };
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * @param argv what follows `forebay dlq`
 * @returns the exit code
 * @throws OperatorFault wrong usage, or the journal cannot be used
 */
export async function run(
  argv: readonly string[],
  signals: StopSignals,
  io: DlqIo = process,
): Promise<number> {
  const { request, loaded } = parseDlq(argv, io.env);
  const { options, exposed } = loaded;
  const redact = redactorOf(options, io.env);
  const note = (line: string) => void io.stderr.write(`${redact(line)}\n`);
  if (exposed.length > 0) note(`forebay: warning: ${exposureText(exposed)}`);
  const stop = new AbortController();
  let interruptedBy: StopSignal | null = null;
  const opened: Opened = {
    print: printer(io.stdout, () => stop.abort()),
    note,
    stop: stop.signal,
    columns: io.stdout.columns ?? COLUMNS,
    // Starts nothing more and prints the summary. A second signal ends the process at once, which is as safe as any
    // crash. So does one before the journal is open.
    onOpen: () =>
      signals.onStop((signal) => {
        interruptedBy = signal;
        stop.abort();
        signals.reset();
      }),
  };
  const isLocal = isAboutUnreadable(request) || options.nats.length === 0;
  const releasePid = isLocal ? await claimPid(options.data) : async () => {};
  let code: number;
  try {
    code = isAboutUnreadable(request)
      ? await onUnreadable(request, options, opened)
      : await onDeadLetters(request, options, opened);
  } finally {
    await releasePid();
  }
  if (!stop.signal.aborted) return code;
  return EXIT_BY_SIGNAL[interruptedBy ?? 'SIGINT'];
}

type Opened = Pick<DlqContext, 'print' | 'note' | 'stop' | 'columns'> & {
  /** To be called when the journal is open. */
  readonly onOpen: () => void;
};

async function onDeadLetters(
  request: DlqRequest,
  options: Options,
  opened: Opened,
): Promise<number> {
  const contract = loadContract(options.schema, true);
  const ids = new FrameIds();
  const store = await openDeadLetters(options, {
    newFrameId: () => ids.next(Date.now()),
    log: (_event, line) => opened.note(line),
  });
  opened.onOpen();
  try {
    return await execute(request, {
      ...opened,
      store,
      validator: openValidator(contract, options),
      schema: contract.digest,
      limiter: (perSecond) => new WindowLimiter(WindowLimiter.memory(perSecond)),
    });
  } finally {
    await store.close();
  }
}

async function onUnreadable(
  request: UnreadableRequest | SetAsideRequest,
  options: Options,
  opened: Opened,
): Promise<number> {
  const store = await openUnreadable(options);
  opened.onOpen();
  try {
    return request.do === 'unreadable'
      ? await unreadable({ ...opened, store }, request)
      : await setAsideRows({ ...opened, store }, request);
  } finally {
    await store.close();
  }
}

function isAboutUnreadable(
  request: DlqRequest | UnreadableRequest | SetAsideRequest,
): request is UnreadableRequest | SetAsideRequest {
  return request.do === 'unreadable' || request.do === 'set-aside';
}

function execute(request: DlqRequest, context: DlqContext): Promise<number> {
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

/** Writes no faster than the reader reads; `onClosed` is called when there is no reader any more, as with `| head`. */
function printer(
  stdout: Writable,
  onClosed: () => void,
): (text: string | Uint8Array) => Promise<void> {
  let isClosed = false;
  stdout.on('error', () => {
    isClosed = true;
    onClosed();
  });
  return async (text) => {
    if (isClosed || stdout.write(text)) return;
    // Rejects on an error, which the listener above handles.
    await once(stdout, 'drain').catch(() => {});
  };
}

/** What `forebay dlq --help` prints. */
export function help(): string {
  return `forebay dlq: manage dead letters, the orders that failed for good

  forebay dlq list    [--reason TEXT] [--limit N] [--json]
  forebay dlq show    ID [--json]
  forebay dlq replay  ID... | --all | --reason TEXT   [--dry-run] [--rate N]
  forebay dlq drop    ID... | --all | --reason TEXT   [--dry-run] [--yes]
  forebay dlq unreadable  [--limit N] [--json]
  forebay dlq set-aside   ID... | --all   [--dry-run]

The server may be running. replay returns orders to the journal with the same
ids and bodies, as first attempts. An order that fails again becomes a dead
letter again. drop deletes dead letters permanently. unreadable lists what was
damaged in the data folder or NATS: those orders are not processed. set-aside
moves it out of the journal, into the folder damaged of the data folder.

Options
  --all             select every dead letter; drop also needs --yes
  --reason TEXT     select the dead letters whose reason contains TEXT
  --dry-run         print what would happen and change nothing
  --rate N          replay at most N orders in any second (1 to 1000000)
  --limit N         list at most N dead letters
  --json            print one JSON object per line
  --data FOLDER     data folder of the server (default ./data)
  --nats URLS       NATS servers of the server; if set, the journal is JetStream
  --nats-stream S   stream of the server (default FOREBAY)
  --nats-tls-..., --nats-creds, --nats-nkey   as of the server
  --schema FILE, --body-depth-max N           as of the server, for replay
  --config FILE     options file of the server; FOREBAY_ variables apply too

Examples
  forebay dlq list --reason 'no such product' --limit 20
  forebay dlq replay --all --rate 100 --nats nats://127.0.0.1:4222
  forebay dlq drop 01K3V6GQ7M8ZQW4T9XB2C00000-7

Exit codes
  0    success
  1    an order was skipped (unknown or no longer valid), or no journal answers
  2    wrong usage
  130  interrupted by Ctrl-C (143 by SIGTERM); the summary counts what was done
`;
}
