import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';

export interface ShopOptions {
  readonly name: string;
  /** Folder of its log. */
  readonly folder: string;
  readonly data: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with a description if it exits by itself. */
  readonly onDied: (what: string) => void;
}

/** Between attempts to start it again after it exited by itself, for example because of a full disk. */
const REVIVE_MS = 250;

/**
 * A Forebay with fixed ports, data and options that can be killed and started any number of times. If it exits by itself, that is
 * a problem of the run, and it is started again, as a supervisor would, so that waiting orders do not count as lost.
 */
export class Shop {
  readonly url: string;
  readonly #options: ShopOptions;
  readonly #flags: readonly string[];
  readonly #killed = new Set<string>();
  #process: ForebayProcess | null = null;
  #isWanted = false;
  #starting: Promise<void> = Promise.resolve();

  private constructor(options: ShopOptions, port: number, adminPort: number) {
    this.#options = options;
    this.url = `http://127.0.0.1:${port}`;
    this.#flags = ['--port', String(port), '--admin-port', String(adminPort), ...options.flags];
  }

  static async open(owner: Owner, options: ShopOptions): Promise<Shop> {
    const shop = new Shop(options, await freePort(), await freePort());
    // Its log is saved even if the run is aborted.
    owner.after(() => shop.kill9());
    await shop.start();
    return shop;
  }

  /** Null while it is not running. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  start(): Promise<void> {
    this.#isWanted = true;
    this.#starting = this.#launch();
    return this.#starting;
  }

  /** SIGSTOP. Orders that its pool was processing may be repeated elsewhere. */
  pause(): void {
    this.#killed.add(String(this.#process!.pid));
    this.#process!.signal('SIGSTOP');
  }

  goOn(): void {
    this.#process!.signal('SIGCONT');
  }

  async kill9(): Promise<void> {
    await this.#noLongerWanted();
    if (this.#process === null) return;
    this.#killed.add(String(this.#process.pid));
    await this.#process.kill9();
    this.#keepLog();
  }

  /** SIGTERM. @throws Error if it exits with another code than 0 */
  async stop(): Promise<void> {
    await this.#noLongerWanted();
    if (this.#process === null) return;
    const code = await this.#process.stop().finally(() => this.#keepLog());
    if (code !== 0) throw new Error(`${this.#options.name} exited with code ${code}`);
  }

  /** Whether the process of this runner (`<pid>-<thread>`) was killed. */
  wasKilled(runner: string): boolean {
    return this.#killed.has(runner.slice(0, runner.indexOf('-')));
  }

  /** Orders in its journal and spool, from /metrics. */
  async pending(): Promise<number> {
    const text = await (await fetch(`${this.#process!.adminUrl}/metrics`)).text();
    const found = text.matchAll(/^forebay_(?:journal_pending|spool)_orders(?:\{[^}]*\})? (\S+)$/gm);
    return Array.from(found, (match) => Number(match[1])).reduce((sum, value) => sum + value, 0);
  }

  async #launch(): Promise<void> {
    const { data, env = {} } = this.#options;
    const started = await startForebay(this.#flags, { data, env });
    this.#process = started;
    void started.exited.then((code) => this.#ended(started, code));
  }

  #ended(process: ForebayProcess, code: number | null): void {
    if (!this.#isWanted || process !== this.#process) return;
    const how = code === null ? 'by a signal' : `with code ${code}`;
    this.#options.onDied(`${this.#options.name} exited by itself, ${how}`);
    this.#killed.add(String(process.pid));
    this.#keepLog();
    this.#starting = this.#revive();
  }

  async #revive(): Promise<void> {
    while (this.#isWanted) {
      try {
        return await this.#launch();
      } catch {
        await sleep(REVIVE_MS);
      }
    }
  }

  /** Its exit is planned from now on. */
  async #noLongerWanted(): Promise<void> {
    this.#isWanted = false;
    await this.#starting.catch(() => {});
  }

  #keepLog(): void {
    const { stdout, stderr } = this.#process!;
    const file = join(this.#options.folder, `${this.#options.name}.out`);
    appendFileSync(file, `${stdout}${stderr}--- pid ${this.#process!.pid} ended\n`);
    this.#process = null;
  }
}
