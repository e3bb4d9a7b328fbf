import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';

export interface ShopOptions {
  readonly name: string;
  /** Where its log goes. */
  readonly folder: string;
  readonly data: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One Forebay that stays at its place - ports, data, flags - through any number of kills and starts. */
export class Shop {
  readonly url: string;
  readonly #options: ShopOptions;
  readonly #flags: readonly string[];
  readonly #owner: Owner;
  readonly #killed = new Set<string>();
  #process: ForebayProcess | null = null;

  private constructor(owner: Owner, options: ShopOptions, port: number, adminPort: number) {
    this.#owner = owner;
    this.#options = options;
    this.url = `http://127.0.0.1:${port}`;
    this.#flags = ['--port', String(port), '--admin-port', String(adminPort), ...options.flags];
  }

  static async open(owner: Owner, options: ShopOptions): Promise<Shop> {
    const shop = new Shop(owner, options, await freePort(), await freePort());
    // Also where the run breaks off, its log is kept.
    owner.after(() => shop.kill9());
    await shop.start();
    return shop;
  }

  async start(): Promise<void> {
    const { data, env = {} } = this.#options;
    this.#process = await startForebay(this.#flags, { owner: this.#owner, data, env });
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
    if (this.#process === null) return;
    this.#killed.add(String(this.#process.pid));
    await this.#process.kill9();
    this.#keepLog();
  }

  /** Ends it in order. @throws Error when it was gone before, or ended with another code than 0 */
  async stop(): Promise<void> {
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

  #keepLog(): void {
    const { stdout, stderr } = this.#process!;
    const file = join(this.#options.folder, `${this.#options.name}.out`);
    appendFileSync(file, `${stdout}${stderr}--- pid ${this.#process!.pid} ended\n`);
    this.#process = null;
  }
}
