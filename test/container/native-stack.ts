import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../monitoring/rule-files.js';
import { freePort } from '../support/free-port.js';
import { natsProgram } from '../support/nats.js';
import { Program, toolPath } from '../support/program.js';
import { composeFile, type Service } from './compose-file.js';

/** Where the services listen in their containers. */
const PORTS = {
  nats: [4222, 8222],
  'prometheus-nats-exporter': [7777],
  forebay: [3000, 3001],
  prometheus: [9090],
} as const;

export type Name = keyof typeof PORTS;

/** What each service's image starts, and what it is to be told of its ports beyond what the file says. */
const ENTRY: Readonly<Record<Name, (port: (inside: number) => number) => Promise<Entry>>> = {
  nats: async () => ({ program: await natsProgram('nats-server'), dropsFirst: true }),
  'prometheus-nats-exporter': async (port) => ({
    program: await toolPath('prometheus-nats-exporter'),
    args: ['-addr', '127.0.0.1', '-port', `${port(7777)}`],
  }),
  forebay: async (port) => ({
    program: process.execPath,
    first: [join(ROOT, 'dist', 'src', 'main.js')],
    env: {
      FOREBAY_HOST: '127.0.0.1',
      FOREBAY_PORT: `${port(3000)}`,
      FOREBAY_ADMIN_PORT: `${port(3001)}`,
    },
  }),
  prometheus: async (port) => ({
    program: await toolPath('prometheus'),
    // By default a series that ended for want of its target counts for another 5 minutes.
    args: [`--web.listen-address=127.0.0.1:${port(9090)}`, '--query.lookback-delta=10s'],
  }),
};

interface Entry {
  readonly program: string;
  /** The command begins with the program's name. */
  readonly dropsFirst?: boolean;
  /** Before the command's arguments, as the image's ENTRYPOINT has them. */
  readonly first?: readonly string[];
  /** Before the others, which go last because the exporter takes its URL there. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Services of docker-compose.yml as processes of this machine, with the very commands, environment and
 * configuration files of that file. Only what a container would have to itself is put elsewhere: names of hosts
 * become free ports of 127.0.0.1, and folders one temporary folder.
 */
export class NativeStack {
  readonly #folder = mkdtempSync(join(tmpdir(), 'forebay-stack-'));
  readonly #services: Readonly<Record<string, Service>>;
  readonly #ports = new Map<string, number>();
  readonly #running = new Map<Name, Program>();
  readonly #edit: (text: string) => string;

  /**
   * @param env fills in the variables of the file
   * @param edit what else is to be different in a configuration file
   */
  private constructor(env: Readonly<Record<string, string>>, edit: (text: string) => string) {
    this.#services = composeFile(env).services;
    this.#edit = edit;
  }

  static async prepare(
    env: Readonly<Record<string, string>> = {},
    edit: (text: string) => string = (text) => text,
  ): Promise<NativeStack> {
    const stack = new NativeStack(env, edit);
    for (const [name, ports] of Object.entries(PORTS)) {
      for (const port of ports) stack.#ports.set(`${name}:${port}`, await freePort());
    }
    return stack;
  }

  /** `host:port`, dialable, of what the containers know as `nats:4222`. */
  address(known: string): string {
    return `127.0.0.1:${this.#ports.get(known)}`;
  }

  url(known: string): string {
    return `http://${this.address(known)}`;
  }

  running(name: Name): Program {
    return this.#running.get(name)!;
  }

  /** @param env beyond what the file says */
  async start(name: Name, env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const service = this.#services[name]!;
    this.layFiles(name);
    const entry = await ENTRY[name]((inside) => this.#ports.get(`${name}:${inside}`)!);
    const command = service.command.slice(entry.dropsFirst ? 1 : 0);
    const args = [...(entry.first ?? []), ...withLast(command, entry.args ?? [])];
    const environment = Object.entries(service.environment ?? {});
    const program = new Program(
      entry.program,
      args.map((arg) => this.#native(name, arg)),
      {
        log: join(this.#folder, `${name}.log`),
        cwd: this.#folder,
        env: {
          ...Object.fromEntries(environment.map(([key, text]) => [key, this.#native(name, text)])),
          ...entry.env,
          ...env,
        },
      },
    );
    this.#running.set(name, program);
    return program;
  }

  /** Lays the configuration files of a service where it looks for them; again, when `edit` has changed. */
  layFiles(name: Name): void {
    for (const volume of this.#services[name]!.volumes ?? []) {
      const [source, inside] = volume.split(':') as [string, string];
      const place = this.#place(name, inside);
      if (!source.startsWith('./')) {
        mkdirSync(place, { recursive: true });
        continue;
      }
      mkdirSync(dirname(place), { recursive: true });
      const file = join(ROOT, source);
      if (statSync(file).isDirectory()) cpSync(file, place, { recursive: true });
      else {
        const text = this.#edit(readFileSync(file, 'utf8'));
        writeFileSync(place, this.#native(name, text));
      }
    }
  }

  async stop(): Promise<void> {
    // Forebay first: it would wait for NATS.
    const names = [...this.#running.keys()].sort(
      (a, b) => Number(b === 'forebay') - Number(a === 'forebay'),
    );
    for (const name of names) await this.#running.get(name)!.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #place(name: Name, inside: string): string {
    return join(this.#folder, name, inside);
  }

  /** In one pass, because what is put in may contain what is looked for. */
  #native(name: Name, text: string): string {
    const folders = (this.#services[name]!.volumes ?? []).map((volume) => volume.split(':')[1]!);
    const replaced = new Map<string, string>(
      folders.map((inside) => [inside, this.#place(name, inside)]),
    );
    for (const [known, port] of this.#ports) {
      replaced.set(known, `127.0.0.1:${port}`);
      if (known.startsWith(`${name}:`)) {
        replaced.set(`0.0.0.0:${known.split(':')[1]}`, `127.0.0.1:${port}`);
      }
    }
    // Longest first: `/etc/prometheus/alerts.yml` before a folder that begins it.
    const looked = [...replaced.keys()].sort((a, b) => b.length - a.length);
    const pattern = new RegExp(looked.map((part) => part.replaceAll('.', '\\.')).join('|'), 'g');
    return text.replace(pattern, (found) => replaced.get(found)!);
  }
}

/** Before the last argument: a flag given twice counts as given last, and the exporter takes its URL at the end. */
function withLast(command: readonly string[], more: readonly string[]): string[] {
  return more.length === 0 ? [...command] : [...command.slice(0, -1), ...more, command.at(-1)!];
}
