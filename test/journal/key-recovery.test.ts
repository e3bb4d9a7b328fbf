import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { KeyRecovery } from '../../src/journal/jetstream/key-recovery.js';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { declarations } from '../../src/journal/nats/declarations.js';
import { declareJournal } from '../../src/journal/nats/declare.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import { StreamSearch } from '../../src/journal/nats/stream-search.js';
import { LocalStore } from '../../src/journal/store/local-store.js';
import type { LogEvent } from '../../src/model/log.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NatsServer } from '../support/nats.js';
import { fresh } from './frames.js';
import { appenderOf, FRAMES } from './jetstream-opened.js';

const STREAM = 'KEYED';
const DIGEST = '0123456789abcdef';

async function start(t: TestContext) {
  const server = await NatsServer.start();
  const names = jetStreamNames(STREAM);
  const connection = new JetStreamConnection({
    servers: [server.url],
    clientName: 'keys',
    prepare: (nc) => declareJournal(nc, declarations(names, FRAMES), 1),
    log: () => {},
  });
  const folder = mkdtempSync(join(tmpdir(), 'forebay-keys-'));
  const store = new LocalStore(folder);
  const appender = appenderOf({ servers: [server.url], stream: STREAM }, HANG_MS_MAX, () => {});
  t.after(async () => {
    server.thaw();
    await Promise.all([connection.close(), appender.close()]);
    await Promise.all([store.close(), server.stop()]);
    rmSync(folder, { recursive: true });
  });
  await Promise.all([connection.ready, appender.ready]);
  const events: LogEvent[] = [];
  const openIndex = () => {
    const search = new StreamSearch(connection, names);
    const index = new KeyRecovery(
      store,
      connection,
      search,
      { acceptedOrders: () => 0, failedKeyRows: () => 0 },
      (event) => events.push(event),
    );
    t.after(() => index.close());
    return index;
  };
  const commit = async (key: string) => {
    await appender.commit({ ...fresh(1), keys: [{ position: 0, digest: DIGEST, key }] });
  };
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of openIndex().keys(Date.now() - 600_000)) found.push(key);
    return found;
  };
  return { server, store, events, commit, keys };
}

it('NATS freezing while the keys are read is reported and does not block the start', async (t) => {
  const { server, events, commit, keys } = await start(t);
  await commit('cart-1');
  assert.deepEqual(await keys(), ['cart-1']);
  server.freeze();
  assert.deepEqual(await keys(), []);
  assert.deepEqual(events, ['keys-unknown']);
});

it('keys are read although the clock was set back since their time was stored', async (t) => {
  const { store, events, commit, keys } = await start(t);
  for (const key of ['cart-1', 'cart-2', 'cart-3']) await commit(key);
  const ahead = Buffer.from(String(Date.now() + 3_600_000));
  await store.write(() => store.meta.put(Buffer.from('keys-known'), ahead));
  assert.deepEqual(await keys(), ['cart-1', 'cart-2', 'cart-3']);
  assert.deepEqual(events, []);
});
