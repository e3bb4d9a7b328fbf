import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lostSignal } from '../../src/process/signals.js';
import { ledgerHandler } from '../drain/handlers.js';
import { withDeadline } from '../support/deadline.js';
import { eventually, OrderClient } from '../support/orders.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
/** A pid namespace as a container has it; the kernel gives one only to root. */
const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const CAN_UNSHARE = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
const skip = CAN_UNSHARE ? false : 'this user cannot make a pid namespace';

/** A forebay command that is process 1 of a pid namespace. */
class ProcessOne {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly folder = mkdtempSync(join(tmpdir(), 'forebay-one-'));
  output = '';

  constructor(t: TestContext, args: readonly string[]) {
    this.#child = spawn('unshare', [...NAMESPACE, process.execPath, MAIN, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#exited = once(this.#child, 'close').then(([code]) => code as number | null);
    t.after(async () => {
      this.#child.kill('SIGKILL');
      await this.#exited;
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** The pid outside the namespace, once Node runs and handles SIGINT and SIGTERM: before, the kernel discards them. */
  async pid(): Promise<number> {
    const { pid } = this.#child;
    let found = 0;
    await eventually('Node runs as process 1', () => {
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
      if (child === undefined || child === '') return false;
      const caught = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1];
      found = Number(child);
      const isCaught = (signal: bigint) => ((BigInt(`0x${caught}`) >> (signal - 1n)) & 1n) === 1n;
      return (
        readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(MAIN) &&
        isCaught(2n) &&
        isCaught(15n)
      );
    });
    return found;
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.pid(), signal);
  }

  /** @returns the exit code; 128 and the number of the signal if one ended it */
  async ended(): Promise<number | null> {
    return withDeadline(this.#exited, () => `process 1 ends\n${this.output}`);
  }
}

const serve = (folder: string, ...more: string[]) => [
  ...['serve', '--host', '127.0.0.1', '--port', '0', '--admin-port', '0', '--data', folder],
  ...more,
];

describe('process 1 of a container', { skip }, () => {
  for (const delayMs of [0, 10, 50, 100, 200, 500]) {
    it(`a server that gets SIGTERM ${delayMs} ms after its start ends with 0`, async (t) => {
      const one = new ProcessOne(t, serve('data'));
      await one.pid();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await one.signal('SIGTERM');
      assert.equal(await one.ended(), 0, one.output);
      assert.doesNotMatch(one.output, /"level":"(error|fatal)"/);
    });
  }

  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) {
    it(`${signal} is an ordered stop`, async (t) => {
      const one = new ProcessOne(t, serve('data'));
      await eventually('it is ready', () => one.output.includes('"event":"ready"'));
      await one.signal(signal);
      assert.equal(await one.ended(), 0, one.output);
      assert.match(one.output, /"event":"stopped"/);
    });
  }

  for (const [what, msMax, event] of [
    ['--shutdown-ms-max is over', '500', 'stop-late'],
    ['a second signal arrives', '600000', 'stop-forced'],
  ] as const) {
    it(`with a handler that never yields, it ends when ${what}`, async (t) => {
      const handler = await ledgerHandler(t, 'for (;;);');
      const one = new ProcessOne(
        t,
        serve('data', '--handler', handler.file, '--shutdown-ms-max', msMax),
      );
      await eventually('it is ready', () => one.output.includes('forebay ready'));
      const client = new OrderClient(/orders (\S+)/.exec(one.output)![1]!);
      t.after(() => client.close());
      await client.post('user');
      await eventually('the handler has it', async () => (await handler.lines()).length === 1);
      await one.signal('SIGTERM');
      await eventually('it is stopping', () => one.output.includes('"event":"stopping"'));
      if (event === 'stop-forced') {
        // Closer signals count as one.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await one.signal('SIGTERM');
      }
      assert.notEqual(await one.ended(), 0);
      assert.match(one.output, new RegExp(event));
      assert.deepEqual(readdirSync(one.folder), ['data'], 'no core file');
    });
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const code = signal === 'SIGTERM' ? 143 : 130;
    it(`check, dlq and wave end by ${signal} with ${code}`, async (t) => {
      // It accepts connections and never answers, so that no command ends by itself.
      const mute = createServer().listen(0, '127.0.0.1');
      await once(mute, 'listening');
      t.after(() => mute.close());
      const at = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
      for (const args of [
        ['check', '--nats', `nats://${at}`],
        ['dlq', 'list', '--nats', `nats://${at}`],
        ['wave', '--url', `http://${at}`, '--admin-url', `http://${at}`],
      ]) {
        const one = new ProcessOne(t, args);
        await one.pid();
        // Signals during the start are the concern of the tests above.
        await new Promise((resolve) => setTimeout(resolve, 300));
        await one.signal(signal);
        assert.equal(await one.ended(), code, `${args[0]}: ${one.output}`);
      }
    });
  }
});

describe('a signal that arrives while Node starts', () => {
  const status = (caught: string) => `Name:\tnode\nSigCgt:\t${caught}\nCapInh:\t0\n`;

  it('is known by the handler that is gone', () => {
    assert.equal(lostSignal(status('0000000000004602')), null);
    assert.equal(lostSignal(status('0000000000000602')), 'SIGTERM');
    assert.equal(lostSignal(status('0000000000004600')), 'SIGINT');
  });

  it('is not known where Node has no handlers, or there is no /proc', () => {
    assert.equal(lostSignal(status('0000000000000600')), null);
    assert.equal(lostSignal(''), null);
  });

  it('this Node has both handlers at its start', { skip: !existsSync('/proc/self/status') }, () => {
    const script = 'process.stdout.write(fs.readFileSync("/proc/self/status", "utf8"))';
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    const caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(stdout)![1]}`);
    assert.equal(caught & 0x4002n, 0x4002n);
  });
});
