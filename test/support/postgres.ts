import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { HANG_MS_MAX } from './deadline.js';
import { freePort } from './free-port.js';
import { toolPath } from './program.js';

/** Where Debian's packages put the programs of each major version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The folder of `postgres` and `initdb`. @throws Error that says how to get them */
function programFolder(): string {
  const override = process.env.FOREBAY_POSTGRES_BIN;
  if (override) return override;
  try {
    const newest = readdirSync(DEBIAN_FOLDER).sort((a, b) => Number(b) - Number(a))[0];
    if (newest !== undefined) return join(DEBIAN_FOLDER, newest, 'bin');
  } catch {}
  throw new Error(
    `no PostgreSQL in ${DEBIAN_FOLDER}: apt-get install postgresql, or set FOREBAY_POSTGRES_BIN`,
  );
}

/** PostgreSQL refuses to run as root: then it runs as the user of its package. */
function serverUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * A real PostgreSQL with its own folder and port: it trusts every client on this machine, and
 * fsyncs. It stays the same server, on the same port and data, through any number of `kill` and `start`.
 */
export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  readonly #programs: string;
  readonly #user: { uid: number; gid: number } | null;
  #child: ChildProcess | null = null;
  #frozen: number[] = [];

  private constructor(port: number) {
    this.port = port;
    this.#programs = programFolder();
    this.#user = serverUser();
    this.folder = mkdtempSync(join(tmpdir(), 'forebay-postgres-'));
    if (this.#user !== null) chownSync(this.folder, this.#user.uid, this.#user.gid);
  }

  /** A server that answers. End it with `stop`, also on failure. */
  static async start(): Promise<PostgresServer> {
    const server = await PostgresServer.prepare();
    await server.start();
    return server;
  }

  /** A server that has its port and data folder, but does not run yet. */
  static async prepare(): Promise<PostgresServer> {
    if (!process.env.FOREBAY_POSTGRES_BIN) await toolPath('postgresql');
    const server = new PostgresServer(await freePort());
    const flags = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'];
    execFileSync(
      join(server.#programs, 'initdb'),
      ['-D', server.#data, ...flags, '--no-sync'],
      server.#spawnOptions('pipe'),
    );
    return server;
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #spawnOptions(stdio: SpawnOptions['stdio']) {
    // `initdb` reads its working folder, to which the server's user may have no access.
    return { cwd: this.folder, stdio, ...this.#user };
  }

  /** For `--postgres-url`. */
  url(database = 'postgres', user = 'postgres'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts it, also after `kill`, and waits until it answers. */
  async start(): Promise<void> {
    // That process has ended, and another process may have its id by now.
    rmSync(join(this.#data, 'postmaster.pid'), { force: true });
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const flags = ['-D', this.#data, '-p', `${this.port}`, '-k', this.folder, '-h', '127.0.0.1'];
    const child = spawn(
      join(this.#programs, 'postgres'),
      flags,
      this.#spawnOptions(['ignore', log, log]),
    );
    this.#child = child;
    process.once('exit', this.#killOnExit);
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        throw new Error(`PostgreSQL did not start:\n${this.log()}`);
      }
      await sleep(50);
    }
  }

  log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  /** kill -9 of the server and all its processes, like a crash of the machine. */
  async kill(): Promise<void> {
    this.freeze();
    const pids = this.#frozen;
    this.#frozen = [];
    for (const pid of pids) signalIfThere(pid, 'SIGKILL');
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (pids.some(isRunning)) {
      if (performance.now() > deadlineMs) throw new Error('PostgreSQL does not end');
      await sleep(5);
    }
    await this.#ended();
  }

  /** Stops it and all its processes by SIGSTOP; the kernel still accepts connections for it. */
  freeze(): void {
    if (this.#child?.pid === undefined) return;
    // The server stops first, so that it starts no further processes while they are listed.
    signalIfThere(this.#child.pid, 'SIGSTOP');
    const children = childrenOf(this.#child.pid);
    for (const pid of children) signalIfThere(pid, 'SIGSTOP');
    this.#frozen = [...children, this.#child.pid];
  }

  thaw(): void {
    for (const pid of this.#frozen) signalIfThere(pid, 'SIGCONT');
    this.#frozen = [];
  }

  /** Ends it in order and ends the sessions of its clients; it can be started again. */
  async shutDown(): Promise<void> {
    this.thaw();
    if (this.#child === null) return;
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => void this.kill(), HANG_MS_MAX);
    await this.#ended();
    clearTimeout(timer);
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    this.thaw();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs SQL as the superuser. @returns the rows of the last statement */
  async query<R = Record<string, unknown>>(text: string, database = 'postgres'): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on('error', () => {});
    await client.connect();
    try {
      const result = await client.query(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows as R[];
    } finally {
      await client.end();
    }
  }

  readonly #killOnExit = () => {
    if (this.#child?.pid === undefined) return;
    for (const pid of [...childrenOf(this.#child.pid), this.#child.pid]) {
      signalIfThere(pid, 'SIGKILL');
    }
  };

  async #ended(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
    this.#child = null;
    process.removeListener('exit', this.#killOnExit);
  }

  async #answers(): Promise<boolean> {
    return this.query('SELECT 1').then(
      () => true,
      () => false,
    );
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process that has ended, and whose parent has not asked about it yet, does not count. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
  } catch {
    return false;
  }
}
