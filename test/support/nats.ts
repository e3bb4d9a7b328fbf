import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { HANG_MS_MAX } from './deadline.js';
import { freePort } from './free-port.js';
import { RUNS_ALL, toolPath } from './program.js';

/** The newest nats-server, and the version of Debian 12, which lacks `sync_interval: always`. */
export type NatsVersion = 'nats-server' | 'nats-server-2.9';

const OVERRIDES: Record<NatsVersion, string> = {
  'nats-server': 'FOREBAY_NATS_SERVER',
  'nats-server-2.9': 'FOREBAY_NATS_SERVER_29',
};

/** The servers that tests run against. The second one is a further download, so `npm test` does without it. */
export const NATS_VERSIONS: readonly NatsVersion[] = RUNS_ALL
  ? ['nats-server', 'nats-server-2.9']
  : ['nats-server'];

/** The path of a server's program, installed if it is missing. @throws Error that says how to get it */
export async function natsProgram(version: NatsVersion): Promise<string> {
  return process.env[OVERRIDES[version]] || toolPath(version);
}

export interface NatsOptions {
  readonly version?: NatsVersion;
  /** When messages are fsynced; needs the newest server. Default: every 2 minutes. */
  readonly syncInterval?: 'always';
  /** The port of its HTTP monitoring; default: none. */
  readonly monitorPort?: number;
  /** The longest message that it accepts, in bytes; default: 1 MiB. */
  readonly maxPayload?: number;
  /** A subject that its clients may not publish to; default: none. */
  readonly publishDenied?: string;
  /** Further settings within its block `jetstream`, such as `limits { max_ack_pending: 100 }`. */
  readonly jetstream?: string;
  /** Further settings, such as accounts. */
  readonly settings?: string;
}

/** A configuration in which a client without a user has these permissions. */
export function withPermissions(permissions: string): Pick<NatsOptions, 'settings'> {
  const user = `{ user: u, password: p, permissions: { ${permissions} } }`;
  return { settings: `no_auth_user: u\nauthorization { users: [ ${user} ] }` };
}

/** A configuration in which a client without a user is in an account with these limits of JetStream. */
export function withAccount(limits: string): Pick<NatsOptions, 'settings'> {
  const account = `{ ${limits}\nusers: [ { user: u, password: p } ] }`;
  return { settings: `accounts { SHOP: ${account} }\nno_auth_user: u` };
}

/**
 * A real nats-server with JetStream, with its own folder and port. It keeps both through any number
 * of `kill` and `start`.
 */
export class NatsServer {
  readonly url: string;
  readonly folder: string;
  readonly #program: string;
  readonly #arguments: readonly string[];
  readonly #config: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  private constructor(program: string, port: number, options: NatsOptions) {
    this.url = `nats://127.0.0.1:${port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'forebay-nats-'));
    this.#program = program;
    this.#port = port;
    this.#config = join(this.folder, 'server.conf');
    this.configure(options);
    this.#arguments = ['-c', this.#config];
  }

  /** Takes effect at its next start. */
  configure({
    syncInterval,
    monitorPort,
    maxPayload,
    publishDenied,
    jetstream = '',
    settings = '',
  }: Omit<NatsOptions, 'version'>): void {
    const sync = syncInterval === undefined ? '' : `sync_interval: ${syncInterval}`;
    const lines = [
      `listen: "127.0.0.1:${this.#port}"`,
      monitorPort === undefined ? '' : `http: "127.0.0.1:${monitorPort}"`,
      maxPayload === undefined ? '' : `max_payload: ${maxPayload}`,
      publishDenied === undefined
        ? ''
        : withPermissions(`publish: { deny: "${publishDenied}" }`).settings!,
      `jetstream { store_dir: "${join(this.folder, 'store')}"\n${sync}\n${jetstream} }`,
      settings,
    ];
    writeFileSync(this.#config, `${lines.join('\n')}\n`);
  }

  /** A server that answers. End it with `stop`, also on failure. */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const server = await NatsServer.prepare(options);
    await server.start();
    return server;
  }

  /** A server that has its port and folder, but does not run yet. */
  static async prepare(options: NatsOptions = {}): Promise<NatsServer> {
    const program = await natsProgram(options.version ?? 'nats-server');
    return new NatsServer(program, await freePort(), options);
  }

  /**
   * Starts it, also after `kill`, and waits until JetStream answers; with `any`, until it accepts a connection,
   * because its configuration may forbid more; with
   * `nothing`, until it says so in its log.
   */
  async start({
    answers = 'jetstream',
  }: {
    answers?: 'jetstream' | 'any' | 'nothing';
  } = {}): Promise<void> {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const child = spawn(this.#program, this.#arguments, { stdio: ['ignore', log, log] });
    this.#child = child;
    process.removeListener('exit', this.#killOnExit);
    process.once('exit', this.#killOnExit);
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (!(await this.#answers(answers))) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        throw new Error(`${this.#program} did not start:\n${this.log()}`);
      }
      await sleep(50);
    }
  }

  /** Reads its configuration again, see `configure`. */
  reload(): void {
    this.#child!.kill('SIGHUP');
  }

  /** Of the process that runs now. */
  get pid(): number {
    return this.#child!.pid!;
  }

  log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  /** kill -9: what it has not written is lost. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: it writes everything first. */
  async end(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Returns when every thread of the server has stopped: after the signal, they still run for a moment. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
    const tasks = `/proc/${this.#child?.pid}/task`;
    const isStopped = (task: string) =>
      /^State:\s+T/m.test(readFileSync(join(tasks, task, 'status'), 'utf8'));
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (existsSync(tasks) && !readdirSync(tasks).every(isStopped)) {
      if (performance.now() > deadlineMs) throw new Error('nats-server does not stop at SIGSTOP');
    }
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    this.thaw();
    await this.#end('SIGTERM');
    process.removeListener('exit', this.#killOnExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  readonly #killOnExit = () => {
    this.#child?.kill('SIGKILL');
  };

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS_MAX);
    await ended;
    clearTimeout(timer);
  }

  async #answers(wanted: 'jetstream' | 'any' | 'nothing'): Promise<boolean> {
    if (wanted === 'nothing') return /Server is ready/.test(this.log());
    try {
      const nc = await connect({ servers: this.url, timeout: 1000, reconnect: false });
      try {
        if (wanted === 'jetstream') await nc.request('$JS.API.INFO', '', { timeout: 1000 });
        return true;
      } finally {
        await nc.close();
      }
    } catch {
      return false;
    }
  }
}
