import { type Fault, NONE_LOST, ONLY_200 } from './fault.js';
import { postgresLack, startPostgres } from './postgres-faults.js';
import type { Stage } from './stage.js';

/** How long nats-server is frozen: less than Forebay waits before it uses its spool. */
const SILENCE_MS = 150;

/** In the end each order is answered 200. */
async function exactlyOnce(stage: Stage): Promise<void> {
  await stage.finish();
  const left = stage.sent!.statuses.filter((status) => status > 0 && status !== 200).length;
  if (left > 0) stage.problems.push(`${left} orders with keys were never accepted`);
}

/** The client sends each order again, with its idempotency key, until it is accepted. */
export const keyFaults: readonly Fault[] = [
  {
    name: 'keys-forebay-kill',
    what: 'kill -9 of Forebay; the client repeats unanswered orders with their keys; local journal',
    isLongOnly: true,
    guarantees: NONE_LOST,
    async run(stage) {
      const shop = await stage.shop(['--handler', stage.plainHandler()]);
      stage.load({ isKeyed: true });
      await stage.pass(stage.share(0.2, 0.4));
      await shop.kill9();
      await shop.start();
      await stage.pass(stage.share(0.2, 0.4));
      await exactlyOnce(stage);
    },
  },
  {
    name: 'keys-nats-stutter',
    what: 'nats-server frozen and killed, orders with keys; JetStream to PostgreSQL',
    isLongOnly: true,
    guarantees: ONLY_200,
    lack: postgresLack,
    async run(stage) {
      const { flags } = await startPostgres(stage);
      const nats = await stage.nats();
      await stage.shop([...flags, '--nats', nats.url]);
      stage.load({ isKeyed: true });
      await stage.pass(stage.share(0.1, 0.3));
      nats.freeze();
      await stage.pass(stage.between(500, 2500));
      nats.thaw();
      await stage.pass(stage.random.below(300));
      await nats.kill9();
      await stage.pass(stage.random.below(1000));
      await nats.start();
      await stage.pass(stage.share(0.2, 0.4));
      await exactlyOnce(stage);
    },
  },
  {
    name: 'keys-all-killed',
    what: 'kill -9 of Forebay, nats-server and PostgreSQL, orders with keys: each is one row',
    guarantees: NONE_LOST,
    lack: postgresLack,
    async run(stage) {
      const { server, flags } = await startPostgres(stage);
      const nats = await stage.nats();
      const shop = await stage.shop([...flags, '--nats', nats.url]);
      stage.load({ isKeyed: true });
      await stage.pass(stage.share(0.2, 0.4));
      // What queues up in the meantime is stored, but Forebay never learns of it: stored and unanswered.
      nats.freeze();
      await stage.pass(SILENCE_MS);
      shop.pause();
      nats.thaw();
      await stage.pass(SILENCE_MS);
      await Promise.all([shop.kill9(), nats.kill9(), server.kill()]);
      await Promise.all([shop.start(), nats.start(), server.start()]);
      await stage.pass(stage.share(0.3, 0.5));
      await exactlyOnce(stage);
    },
  },
];
