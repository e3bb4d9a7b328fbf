import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';

export interface ShopOptions {
  readonly name: string;
  /** Where its log goes. */
  readonly folder: string;
  readonly data: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It ended and nobody had told it to: in words. */
  readonly onDied: (what: string) => void;
}

/** Between two tries to start it again after it died of its own, say because its disk is full. */
const REVIVE_MS = 250;

/**
 * One Forebay that stays at its place - ports, data, flags - through any number of kills and starts. One that ends
 * without being told to is a problem of the run, and is started again as a supervisor would: so the ledger tells what is
 * lost from what only waits.
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
    // Also where the run breaks off, its log is kept.
    owner.after(() => shop.kill9());
    await shop.start();
    return shop;
  }

  /** Null while it is down. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  start(): Promise<void> {
    this.#isWanted = true;
    this.#starting = this.#launch();
    return this.#starting;
  }

  /** It does nothing more, until it is killed or goes on. What it had with its pool is repeated elsewhere. */
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

  /** Ends it in order. @throws Error when it ended with another code than 0 */
  async stop(): Promise<void> {
    await this.#noLongerWanted();
    if (this.#process === null) return;
    const code = await this.#process.stop().finally(() => this.#keepLog());
    if (code !== 0) throw new Error(`${this.#options.name} ended with code ${code}`);
  }

  /** Whether this runner (`<pid>-<thread>`) was killed with its process. */
  wasKilled(runner: string): boolean {
    return this.#killed.has(runner.slice(0, runner.indexOf('-')));
  }

  /** Orders that its journal and its spool still hold, as /metrics says. */
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
    this.#options.onDied(`${this.#options.name} died of its own, ${how}`);
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

  /** From here on its end is planned. */
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
