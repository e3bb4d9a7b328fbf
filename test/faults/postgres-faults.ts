import { existsSync } from 'node:fs';
import type { Processing } from '../../drills/ledger/verdict.js';
import { PostgresServer } from '../support/postgres.js';
import { type Fault, NONE_LOST, ONLY_200 } from './fault.js';
import type { ProcessedOrders, Stage } from './stage.js';

export function postgresLack(): string | null {
  return process.env.FOREBAY_POSTGRES_BIN || existsSync('/usr/lib/postgresql')
    ? null
    : 'PostgreSQL is missing (Debian package postgresql)';
}

interface Row {
  readonly order_id: string;
  readonly product_id: number;
  readonly count: number;
  readonly username: string;
}

/** The rows of the built-in handler. They name no runner, so any repeat counts as doubled. */
class OrdersTable implements ProcessedOrders {
  readonly #server: PostgresServer;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  async processings(): Promise<Processing[]> {
    const rows = await this.#server.query<Row>(
      'SELECT order_id, product_id, count, username FROM forebay_orders',
    );
    return rows.map(({ order_id, product_id, count, username }) => ({
      sequence: Number.parseInt(username, 10),
      id: order_id,
      product: String(product_id),
      count: String(count),
      runner: '',
    }));
  }
}

export async function startPostgres(
  stage: Stage,
): Promise<{ server: PostgresServer; flags: string[] }> {
  const server = await PostgresServer.prepare();
  stage.after(() => server.stop());
  await server.start();
  stage.processed = new OrdersTable(server);
  return { server, flags: ['--handler', 'postgres', '--postgres-url', server.url()] };
}

export const postgresFaults: readonly Fault[] = [
  {
    name: 'postgres-kill',
    what: 'kill -9 of PostgreSQL, restart after 1 to 3 s; local journal',
    guarantees: ONLY_200,
    lack: postgresLack,
    async run(stage) {
      const { server, flags } = await startPostgres(stage);
      await stage.shop(flags);
      stage.load();
      await stage.pass(stage.share(0.2, 0.4));
      await server.kill();
      await stage.pass(stage.between(1000, 3000));
      await server.start();
      await stage.pass(stage.share(0.2, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'postgres-and-forebay-kill',
    what: 'kill -9 of Forebay with JetStream while it inserts, then of PostgreSQL; both restart',
    isLongOnly: true,
    guarantees: NONE_LOST,
    lack: postgresLack,
    async run(stage) {
      const { server, flags } = await startPostgres(stage);
      const nats = await stage.nats();
      const shop = await stage.shop([...flags, '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.2, 0.4));
      await shop.kill9();
      await stage.pass(stage.random.below(500));
      await server.kill();
      await stage.pass(stage.random.below(1000));
      await Promise.all([server.start(), shop.start()]);
      await stage.pass(stage.share(0.2, 0.4));
      await stage.finish();
    },
  },
];
