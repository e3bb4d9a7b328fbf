import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, type Owner, startForebay } from '../support/forebay.js';
import { freePort } from '../support/free-port.js';
import { OrderClient, orderBody } from '../support/orders.js';
import { Program } from '../support/program.js';

/** More than nginx keeps an idle connection to a server, and than HAProxy needs to see that /readyz fails. */
const DELAY_MS = 7000;
/** Keep their connection to the proxy. */
const KEEPING_CLIENTS = 12;
/** Open a connection for each order. */
const SINGLE_CLIENTS = 4;
/** Of a client between two orders: some connections of the proxy are always idle. */
const PAUSE_MS_MAX = 40;

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'forebay-rolling-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function isMissing(program: string): string | false {
  return spawnSync(program, ['-v']).error === undefined ? false : `${program} is not installed`;
}

/** @throws Error if the example does not contain what is to be replaced, so that no replacement is in vain */
function example(name: string, replacements: readonly (readonly [string | RegExp, string])[]) {
  return replacements.reduce(
    (text, [from, to]) => {
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `no ${from} in deploy/${name}`);
      return changed;
    },
    readFileSync(join(DEPLOY, name), 'utf8'),
  );
}

function nginxArguments(port: number, [a, b]: readonly ForebayProcess[]): string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const user = process.getuid!() === 0 ? 'user root;' : '';
  const server = example('nginx/forebay.conf', [
    ['10.0.0.1:3000', new URL(a!.url).host],
    ['10.0.0.2:3000', new URL(b!.url).host],
    ['listen 80', `listen 127.0.0.1:${port}`],
  ]);
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    file,
    `${user} daemon off; pid ${join(folder, `nginx-${port}.pid`)}; error_log stderr; events {}
http { access_log off; ${temporary.join(' ')}\n${server}\n}`,
  );
  return ['-c', file];
}

function haproxyArguments(port: number, [a, b]: readonly ForebayProcess[]): string[] {
  const server = ({ url, adminUrl }: ForebayProcess) =>
    `${new URL(url).host} port ${new URL(adminUrl).port}`;
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    example('haproxy/haproxy.cfg', [
      ['10.0.0.1:3000', server(a!)],
      ['10.0.0.2:3000', server(b!)],
      ['bind :80', `bind 127.0.0.1:${port}`],
    ]),
  );
  return ['-db', '-f', file];
}

const PROXIES = { nginx: nginxArguments, haproxy: haproxyArguments } as const;

/** Sends orders until it is stopped, and counts their answers by status; 0 is a connection that ended without one. */
class Load {
  readonly counts = new Map<number, number>();
  readonly #loops: readonly Promise<void>[];
  #isOn = true;

  constructor(url: string) {
    const agents = Array.from(
      { length: KEEPING_CLIENTS },
      () => new Agent({ keepAlive: true, maxSockets: 1 }),
    );
    const singles = Array.from({ length: SINGLE_CLIENTS }, () => new Agent({ keepAlive: false }));
    this.#loops = [...agents, ...singles].map((agent) => this.#run(`${url}/orders`, agent));
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#loops);
  }

  async #run(url: string, agent: Agent): Promise<void> {
    for (let i = 0; this.#isOn; i++) {
      const status = await post(url, agent, `order-${i}`);
      this.counts.set(status, (this.counts.get(status) ?? 0) + 1);
      await sleep(Math.random() * PAUSE_MS_MAX);
    }
    agent.destroy();
  }
}

function post(url: string, agent: Agent, name: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.once('error', () => resolve(0));
      answer.once('end', () => resolve(answer.statusCode!));
    });
    sent.once('error', () => resolve(0));
    sent.end(orderBody(name));
  });
}

/** Restarts one instance after the other under load. @returns the answers by status */
async function rollingRestart(owner: Owner, program: keyof typeof PROXIES, http: string) {
  const flags = ['--http', http, '--threads', '1', '--shutdown-delay-ms', `${DELAY_MS}`];
  const instances = [
    await startForebay(flags, { owner }),
    await startForebay(flags, { owner }),
  ] as const;
  const port = await freePort();
  const log = join(folder, `${program}-${http}.log`);
  const proxy = new Program(program, PROXIES[program](port, instances), { log });
  owner.after(async () => void (await proxy.stop()));
  const url = `http://127.0.0.1:${port}`;
  const probe = new OrderClient(url, 1);
  await proxy.ready(async () => (await probe.post('first')).status === 200);
  probe.close();
  const load = new Load(url);
  for (const { url: at, adminUrl } of instances) {
    const [running] = instances.filter((instance) => instance.url === at);
    assert.equal(await running!.stop(), 0);
    const again = ['--port', new URL(at).port, '--admin-port', new URL(adminUrl).port];
    await startForebay([...flags, ...again], { owner });
    // The proxy finds it again before the other one stops.
    await sleep(3000);
  }
  await load.stop();
  return { counts: Object.fromEntries(load.counts), log: readFileSync(log, 'utf8') };
}

describe('a rolling restart behind the load balancers of deploy/', { concurrency: true }, () => {
  for (const { http, skip } of ENGINES) {
    for (const program of ['nginx', 'haproxy'] as const) {
      it(`${program}, --http ${http}: every order is answered 200`, {
        skip: skip || isMissing(program),
      }, async (t) => {
        const { counts, log } = await rollingRestart(t, program, http);
        assert.deepEqual(Object.keys(counts), ['200'], `${JSON.stringify(counts)}\n${log}`);
        t.diagnostic(`${counts[200]} orders answered 200`);
      });
    }
  }
});
