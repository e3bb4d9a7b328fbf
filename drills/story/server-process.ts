import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { type Children, end, Said } from './processes.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const READY_MS_MAX = 60_000;
const POLL_MS = 20;
/** On free ports of the loopback; a quiet log, of which the end is shown when it fails. */
const OWN_PLACE = [
  '--host',
  '127.0.0.1',
  '--port',
  '0',
  '--admin-port',
  '0',
  '--log-level',
  'warn',
];

/** A Forebay server of our own. */
export class ServerChild {
  readonly url: string;
  readonly adminUrl: string;
  /** Rejects with an OperatorFault when it ends without being told to. */
  readonly died: Promise<never>;
  readonly #child: ChildProcess;
  #isStopping = false;

  private constructor(child: ChildProcess, said: Said, urls: readonly [string, string]) {
    this.#child = child;
    [this.url, this.adminUrl] = urls;
    this.died = new Promise((_, reject) => {
      child.once('close', (code, signal) => {
        if (this.#isStopping) return;
        const how = `the server ended (${signal ?? code}) while it was measured`;
        reject(new OperatorFault(`story: ${how}: ${said.lastLine}`, EXIT.failed));
      });
    });
    // Whoever waits for it hears of it; nobody needs to.
    this.died.catch(() => {});
  }

  /**
   * @param data the folder of its journal
   * @throws OperatorFault it ended, or was not ready in time
   */
  static async start(
    children: Children,
    flags: readonly string[],
    data: string,
  ): Promise<ServerChild> {
    const args = [MAIN, 'serve', ...flags, ...OWN_PLACE, '--data', data];
    const child = children.start(process.execPath, args, { env: plainEnvironment() });
    const said = new Said(child);
    return new ServerChild(child, said, await ready(child, said));
  }

  /** @throws OperatorFault it did not end in order */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const code = await end(this.#child);
    if (code !== EXIT.ok) {
      throw new OperatorFault(`story: the server ended with code ${code}`, EXIT.failed);
    }
  }
}

/** The story is of the flags that it shows: what this shell sets for a server is not part of it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('FOREBAY_')),
  );
}

async function ready(child: ChildProcess, said: Said): Promise<readonly [string, string]> {
  let hasEnded = false;
  once(child, 'close').then(() => {
    hasEnded = true;
  });
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (!hasEnded && performance.now() < deadlineMs) {
    const line = /^forebay ready: .*?(http:\/\/\S+).*?(http:\/\/\S+)\s/m.exec(said.text);
    if (line !== null) return [line[1]!, line[2]!];
    await sleep(POLL_MS);
  }
  const what = hasEnded ? 'ended before it was ready' : `was not ready in ${READY_MS_MAX} ms`;
  throw new OperatorFault(`story: the server ${what}: ${said.lastLine}`, EXIT.failed);
}
