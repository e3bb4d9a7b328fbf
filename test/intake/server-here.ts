import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { GroupCommit } from '../../src/commit/group-commit.js';
import type { EngineFactory } from '../../src/intake/http.js';
import { IntakeServer } from '../../src/intake/server.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { loadOptions } from '../../src/options/load.js';
import { orderContract } from '../../src/schema/contract.js';
import { compileContract } from '../../src/schema/validator.js';
import { freePort } from '../support/free-port.js';

/** @param http as `--http` */
export async function engineOf(http: 'uws' | 'node'): Promise<EngineFactory> {
  if (http === 'node') return (await import('../../src/intake/node/engine.js')).nodeEngine;
  return (await import('../../src/intake/uws/engine.js')).uwsEngine;
}

/** An intake server in this thread, of which the test has the engine. Its journal stores nothing. Ends with the test. */
export async function serverHere(t: TestContext, engine: EngineFactory) {
  const counts = new ThreadCounts(createCounts(2), 1);
  const options = loadOptions(['--data', 'unused'], {});
  const commit = async () => null;
  const appender = {
    name: 'local',
    writable: true,
    reason: '',
    commit,
    close: async () => {},
  } as const;
  const committer = new GroupCommit(appender, options, counts, () => {});
  const never = () => assert.fail('no order of this test needs it');
  const gate = {
    open: 0,
    accepted: 0,
    opened() {
      this.open++;
      this.accepted++;
      return true;
    },
    closed() {
      this.open--;
    },
  };
  const server = new IntakeServer(
    {
      validator: compileContract(orderContract, options)(),
      committer,
      keyed: { take: never, takeBatch: never },
      receipts: { lookUp: never },
      counts,
      limiter: null,
      senders: { keys: null, signatures: null, keyCounts: null },
      meter: { hit: () => {} },
      gate,
      options,
      tls: null,
    } as never,
    engine,
  );
  const port = await freePort();
  await server.listen({ at: { address: '127.0.0.1', port }, isShared: false });
  t.after(async () => {
    await committer.drained();
    server.close();
  });
  return { server, committer, counts, url: `http://127.0.0.1:${port}${options.path}` };
}
