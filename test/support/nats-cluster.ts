import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HANG_MS_MAX, withDeadline } from './deadline.js';
import type { Owner } from './forebay.js';
import { freePort } from './free-port.js';
import { natsProgram } from './nats.js';

export interface NatsNodeOptions {
  /** For its configuration and log. */
  readonly folder: string;
  /** Where JetStream keeps its files; by default in `folder`. */
  readonly store?: string;
  readonly name?: string;
  /** When messages are fsynced; default: every 2 minutes. */
  readonly syncInterval?: 'always';
  /** Its own port for routes, and those of all nodes; default: no cluster. */
  readonly cluster?: { readonly port: number; readonly ports: readonly number[] };
}

/**
 * A real nats-server whose store can be on its own file system, alone or as a node of a cluster. It
 * keeps its ports and store through any number of kills and starts.
 */
export class NatsNode {
  readonly url: string;
  readonly monitorUrl: string;
  readonly #program: string;
  readonly #config: string;
  readonly #logFile: string;
  #child: ChildProcess | null = null;

  private constructor(program: string, ports: readonly [number, number], options: NatsNodeOptions) {
    const { folder, name = 'nats' } = options;
    this.url = `nats://127.0.0.1:${ports[0]}`;
    this.monitorUrl = `http://127.0.0.1:${ports[1]}`;
    this.#program = program;
    this.#config = join(folder, `${name}.conf`);
    this.#logFile = join(folder, `${name}.out`);
    writeFileSync(this.#config, configText(ports, name, options));
  }

  /** A node that has its ports but does not run yet; it ends with its owner. */
  static async prepare(owner: Owner, options: NatsNodeOptions): Promise<NatsNode> {
    const program = await natsProgram('nats-server');
    const node = new NatsNode(program, [await freePort(), await freePort()], options);
    owner.after(() => node.kill9());
    return node;
  }

  /** Resolves when the process runs; see `healthy`. */
  spawn(): void {
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(this.#program, ['-c', this.#config], { stdio: ['ignore', log, log] });
    closeSync(log);
    process.once('exit', this.#killOnExit);
  }

  /** Starts it and waits until JetStream is up, and in a cluster until it has caught up. */
  async start(): Promise<void> {
    this.spawn();
    await this.healthy();
  }

  /** @throws Error with its log when it is not in two minutes, or ends */
  async healthy(): Promise<void> {
    const child = this.#child;
    const deadlineMs = performance.now() + HANG_MS_MAX;
    while (!(await this.#isHealthy())) {
      if (child === null || child.exitCode !== null || performance.now() > deadlineMs) {
        throw new Error(`nats-server is not healthy:\n${readFileSync(this.#logFile, 'utf8')}`);
      }
      await sleep(50);
    }
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill9(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.removeListener('exit', this.#killOnExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await withDeadline(ended, 'nats-server ends');
  }

  readonly #killOnExit = () => {
    this.#child?.kill('SIGKILL');
  };

  async #isHealthy(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(2000);
      return (await fetch(`${this.monitorUrl}/healthz`, { signal })).ok;
    } catch {
      return false;
    }
  }
}

function configText(
  [port, monitorPort]: readonly [number, number],
  name: string,
  { folder, store = join(folder, `${name}-store`), syncInterval, cluster }: NatsNodeOptions,
): string {
  mkdirSync(store, { recursive: true });
  const lines = [
    `server_name: "${name}"`,
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${monitorPort}"`,
    'jetstream {',
    `  store_dir: "${store}"`,
    // The default is a share of the disk, but a small disk must become really full.
    '  max_file_store: 4GB',
    ...(syncInterval === undefined ? [] : [`  sync_interval: ${syncInterval}`]),
    '}',
  ];
  if (cluster !== undefined) {
    const routes = cluster.ports.map((route) => `"nats://127.0.0.1:${route}"`);
    lines.push(
      'cluster {',
      '  name: forebay',
      `  listen: "127.0.0.1:${cluster.port}"`,
      `  routes: [${routes.join(', ')}]`,
      '}',
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Nodes of one cluster, all running, with a leader. */
export async function startNatsCluster(
  owner: Owner,
  folder: string,
  size: number,
): Promise<NatsNode[]> {
  const ports: number[] = [];
  for (let i = 0; i < size; i++) ports.push(await freePort());
  const nodes: NatsNode[] = [];
  for (const [i, port] of ports.entries()) {
    const options = { folder, name: `node-${i + 1}`, cluster: { port, ports } };
    nodes.push(await NatsNode.prepare(owner, options));
  }
  for (const node of nodes) node.spawn();
  await Promise.all(nodes.map((node) => node.healthy()));
  return nodes;
}
