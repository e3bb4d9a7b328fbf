import { createRequire } from 'node:module';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Broker, QUEUE, STREAM } from '../../bench/contestants/brokers.js';
import type { RunningOther } from '../../bench/contestants/other.js';
import type { OrderData } from '../../src/model/order.js';

/** The packages of the contestants, installed if a contestant that uses them runs. */
const packages = createRequire(
  new URL('../../../bench/contestants/node/package.json', import.meta.url),
);

/** All orders in a broker, read over a new connection. */
export function storedOrders({ kind, url }: RunningOther['broker']): Promise<OrderData[]> {
  return readers[kind](url);
}

const readers: Record<Broker['kind'], (url: string) => Promise<OrderData[]>> = {
  jetstream: async (url) => {
    const connection = await connect({ servers: url });
    try {
      const { streams } = await jetstreamManager(connection);
      const { state } = await streams.info(STREAM);
      const orders: OrderData[] = [];
      for (let seq = 1; seq <= state.last_seq; seq++) {
        orders.push(...ordersIn((await streams.getMessage(STREAM, { seq }))!.string()));
      }
      return orders;
    } finally {
      await connection.close();
    }
  },
  redis: async (url) => {
    const { Queue } = packages('bullmq');
    const { hostname: host, port } = new URL(url);
    const queue = new Queue(QUEUE, { connection: { host, port: Number(port) } });
    try {
      const jobs: { data: OrderData }[] = await queue.getWaiting();
      return jobs.map(({ data }) => data);
    } finally {
      await queue.close();
    }
  },
  rabbitmq: async (url) => {
    const connection = await packages('amqplib').connect(url);
    try {
      const channel = await connection.createChannel();
      const orders: OrderData[] = [];
      for (;;) {
        const message = await channel.get(QUEUE, { noAck: true });
        if (message === false) return orders;
        orders.push(JSON.parse(message.content.toString()));
      }
    } finally {
      await connection.close();
    }
  },
};

/** A message has an order, an array of orders, or an order in each line. */
function ordersIn(text: string): OrderData[] {
  return text.split('\n').flatMap((line) => JSON.parse(line) as OrderData | OrderData[]);
}
