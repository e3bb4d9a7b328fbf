import { availableParallelism } from 'node:os';
import { freePort } from '../../test/support/free-port.js';
import { startFront } from './front.js';
import { SUBJECT, startJetStream } from './jetstream-broker.js';
import { goNeed, goProgram, nodePackages, nodeProgram, sourceFile, toolNeed } from './needs.js';
import { type Front, type OtherContestant, otherContestant } from './other.js';
import { QUEUE as RABBITMQ_QUEUE, startRabbitmq } from './rabbitmq-broker.js';
import { QUEUE as REDIS_QUEUE, startRedis } from './redis-broker.js';

/** So many processes of Node as Forebay has intake threads by default. */
const PROCESSES = Math.max(1, Math.floor(availableParallelism() / 2));

/**
 * Garbage collected less often, as the guide of Go's collector has it where there is memory to spare: a fifth more orders
 * from Bento, a few percent from net/http.
 */
const GO_ENV = { GOGC: '400' };

/** What one would pick instead of Forebay. See README.md here for what was tuned, and why. */
export const others = othersOf(PROCESSES);

/** @param processes of Node, on one port; what is not Node uses all cores by itself */
export function othersOf(processes: number): readonly OtherContestant[] {
  return [
    ...(['default', 'always'] as const).map((sync) => fastifyJetStream(sync, processes)),
    ...(['everysec', 'always'] as const).map((sync) => fastifyBullmq(sync, processes)),
    ...(['classic', 'quorum'] as const).map((type) => expressRabbitmq(type, processes)),
    ...(['default', 'always'] as const).map(goJetStream),
    bentoJetStream(),
  ];
}

function fastifyJetStream(sync: 'default' | 'always', processes: number): OtherContestant {
  return otherContestant({
    name: `Fastify + JetStream${sync === 'always' ? ', sync always' : ''}`,
    durability: sync === 'always' ? 'fsync' : 'system',
    about: 'Fastify with schemas for body and answer; one publish an order, many under way at once',
    needs: [nodePackages, toolNeed('nats-server')],
    startBroker: () => startJetStream(sync),
    startFront: (url) => startNode('fastify-jetstream.mjs', [url, SUBJECT], processes),
  });
}

function fastifyBullmq(sync: 'everysec' | 'always', processes: number): OtherContestant {
  return otherContestant({
    name: `Fastify + BullMQ on Redis, appendfsync ${sync}`,
    durability: sync === 'always' ? 'fsync' : 'system',
    about:
      'Fastify as above; one job an order; Redis with its append-only file and without snapshots',
    needs: [nodePackages, toolNeed('redis-server')],
    startBroker: () => startRedis(sync),
    startFront: (url) => startNode('fastify-bullmq.mjs', [url, REDIS_QUEUE], processes),
  });
}

function expressRabbitmq(type: 'classic' | 'quorum', processes: number): OtherContestant {
  return otherContestant({
    name: `Express + RabbitMQ, ${type} queue`,
    durability: 'fsync',
    about:
      'Express with ajv; amqplib, one persistent message an order to a durable queue, publisher confirms',
    needs: [nodePackages, toolNeed('rabbitmq-server')],
    startBroker: startRabbitmq,
    startFront: (url) => startNode('express-rabbitmq.mjs', [url, RABBITMQ_QUEUE, type], processes),
  });
}

function startNode(file: string, args: readonly string[], processes: number): Promise<Front> {
  return startFront({
    file: process.execPath,
    args: [nodeProgram(file), ...args, `${processes}`],
  });
}

function goJetStream(sync: 'default' | 'always'): OtherContestant {
  return otherContestant({
    name: `Go + JetStream${sync === 'always' ? ', sync always' : ''}`,
    durability: sync === 'always' ? 'fsync' : 'system',
    about: 'net/http and nats.go; one PublishAsync an order; all cores, GOGC=400',
    needs: [goNeed('go-nats'), toolNeed('nats-server')],
    startBroker: () => startJetStream(sync),
    startFront: (url) =>
      startFront({ file: goProgram('go-nats'), args: [url, SUBJECT], env: GO_ENV }),
  });
}

function bentoJetStream(): OtherContestant {
  return otherContestant({
    name: 'Bento to JetStream',
    durability: 'system',
    about:
      'the stream processor (the free line of Benthos, as Redpanda Connect is the other): http_server to nats_jetstream; all cores, GOGC=400',
    needs: [goNeed('bento'), toolNeed('nats-server')],
    startBroker: () => startJetStream('default'),
    startFront: async (natsUrl) => {
      const address = `127.0.0.1:${await freePort()}`;
      return startFront({
        file: goProgram('bento'),
        args: ['--config', sourceFile('bento', 'orders.yaml')],
        env: { ...GO_ENV, ADDRESS: address, NATS_URL: natsUrl, SUBJECT },
        url: `http://${address}`,
      });
    },
  });
}
