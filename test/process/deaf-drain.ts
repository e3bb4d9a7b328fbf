import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createCounts } from '../../src/metrics/count.js';
import { loadOptions } from '../../src/options/load.js';
import { DrainThread } from '../../workers/drain/drain-thread.js';
import type { DrainCommand, DrainReport, DrainState } from '../../workers/drain/protocol.js';

type Call = Extract<DrainCommand, { type: 'call' }>;

function stateOf(reason: string): DrainState {
  return { reason } as DrainState;
}

/** A drain thread that hears nothing: the test answers in its place. */
export function deaf(t: TestContext) {
  const calls: Call[] = [];
  let worker: Worker | null = null;
  let hasEnded = false;
  const post = t.mock.method(
    Worker.prototype,
    'postMessage',
    function (this: Worker, command: DrainCommand) {
      if (worker === null) {
        this.once('exit', () => {
          hasEnded = true;
        });
      }
      worker = this;
      if (command.type === 'call') calls.push(command);
      if (command.type !== 'abandon') return;
      post.mock.restore();
      this.postMessage(command);
    },
  );
  const faults: Error[] = [];
  const memory = new SharedArrayBuffer(64);
  const drain = new DrainThread(
    {
      options: loadOptions(['--mode', 'direct'], {}),
      handler: '',
      counts: createCounts(3),
      intakeThreads: 1,
      keys: memory,
      wakeFlag: memory,
    },
    { log: () => {}, claimFolder: async () => {}, onFault: (fault) => void faults.push(fault) },
  );
  const report = (message: DrainReport) => worker!.emit('message', message);
  return {
    drain,
    calls,
    /** What the main thread was told. */
    faults,
    hasEnded: () => hasEnded,
    report,
    answer: (reason: string) =>
      report({ type: 'answer', id: calls.at(-1)!.id, value: stateOf(reason) }),
    /**
     * As the main thread sees the end of a thread.
     * @param error that nothing has caught
     */
    die: async (code: number, error?: Error) => {
      if (error !== undefined) worker!.emit('error', error);
      worker!.emit('exit', code);
      // The real end is told to nobody.
      worker!.removeAllListeners('exit');
      await worker!.terminate();
    },
    end: async () => {
      post.mock.restore();
      const ended = once(worker!, 'exit');
      worker!.postMessage({ type: 'abandon' });
      await ended;
    },
  };
}
