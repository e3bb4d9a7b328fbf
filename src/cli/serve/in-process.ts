/** A server in the process of a program that calls `serve`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type OpenLog, openLog } from '../../log/open-log.js';
import { OperatorFault } from '../../model/fault.js';
import { dialledHost } from '../../model/listen.js';
import type { Options } from '../../model/options.js';
import { type Redact, redactError } from '../../model/redact.js';
import type { ForebayServer, ServeOptions } from '../../model/server.js';
import { optionsOf, redactorOf } from '../../options/load.js';
import { Shutdown, type ShutdownDelay } from '../../process/shutdown.js';
import { Server } from './server.js';
import { serverUrls } from './urls.js';

/** What `serve` of the package does, on a version of Node that can load it. */
export async function startServer(options: ServeOptions): Promise<ForebayServer> {
  // What is no object is left for the check to refuse.
  const isPathGiven = options?.handler || options?.schema;
  const checked = optionsOf(isPathGiven ? { ...options, ...pathsOf(options) } : options);
  const output = openLog(checked, redactorOf(checked));
  try {
    return await RunningServer.start(checked, output);
  } catch (error) {
    throw redactError(error as Error, output.redact);
  }
}

class RunningServer implements ForebayServer {
  url = '';
  adminUrl = '';
  readonly closed: Promise<void>;
  readonly #stop: Shutdown;
  readonly #msMax: number;
  readonly #delay: ShutdownDelay;
  readonly #redact: Redact;
  #settle: (closed: Promise<void>) => void = () => {};
  #closing: Promise<void> | null = null;

  static async start(options: Options, output: OpenLog): Promise<ForebayServer> {
    const { log, flush, redact, recent } = output;
    const server = await Server.open({
      options,
      log,
      redact,
      recent,
      onFault: (fault) => {
        if (fault instanceof OperatorFault) log('failed', fault.message);
        else log('bug', 'unexpected error: stopping', { err: fault });
        running.#closeBecauseOf(fault);
      },
    });
    const stop = new Shutdown(() => server.steps, log, flush);
    const delay = { ms: options.shutdownDelayMs, begin: () => server.leave() };
    const times = { msMax: options.shutdownMsMax, delay };
    const running = new RunningServer(stop, times, redact);
    try {
      // False: it has begun to stop, because of a fault.
      if (!(await server.start())) await running.closed;
    } catch (fault) {
      stop.hurry();
      await running.close().catch(() => {});
      throw fault;
    }
    const urls = serverUrls(options, server.at, server.adminPort, dialledHost);
    running.url = urls.orders;
    running.adminUrl = urls.admin;
    return running;
  }

  constructor(
    stop: Shutdown,
    { msMax, delay }: { readonly msMax: number; readonly delay: ShutdownDelay },
    redact: Redact,
  ) {
    this.#stop = stop;
    this.#msMax = msMax;
    this.#delay = delay;
    this.#redact = redact;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // A program that ignores `closed` must not end with an unhandled rejection.
    this.closed.catch(() => {});
  }

  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = this.#stopInTime();
      this.#settle(this.#closing);
    }
    return this.#closing;
  }

  #closeBecauseOf(fault: Error): void {
    this.#stop.hurry();
    if (this.#closing !== null) return;
    this.#closing = this.#stopInTime();
    this.#settle(
      this.#closing.then(() => {
        throw redactError(fault, this.#redact);
      }),
    );
  }

  /** The steps go on after the deadline: nothing cuts off what runs in this process. */
  async #stopInTime(): Promise<void> {
    await this.#stop.delay(this.#delay);
    const patience = new AbortController();
    const late = sleep(this.#msMax, 'late' as const, { signal: patience.signal });
    late.catch(() => {});
    const ended = await Promise.race([this.#stop.run(), late]);
    patience.abort();
    if (ended === null) return;
    if (ended !== 'late') throw redactError(ended, this.#redact);
    const { step } = this.#stop;
    throw new Error(
      `forebay: not closed within shutdownMsMax (${this.#msMax} ms), ${step} still runs`,
    );
  }
}

/** The options that may be a URL, as far as they are given. */
function pathsOf({ handler, schema }: ServeOptions): object {
  return {
    ...(handler ? { handler: pathOf(handler) } : {}),
    ...(schema ? { schema: schema === true ? 'true' : pathOf(schema) } : {}),
  };
}

/** What is no text and no URL is left as it is, for the check of the options to refuse. */
function pathOf(given: string | { readonly href: string }): unknown {
  const text = (given as URL | null | undefined)?.href ?? given;
  return typeof text === 'string' && text.startsWith('file:') ? fileURLToPath(text) : text;
}
