import { availableParallelism } from 'node:os';
import { freePort } from '../../test/support/free-port.js';
import { QUEUE, startJetStream, startRabbitmq, startRedis } from './brokers.js';
import { startFront } from './front.js';
import { goNeed, goProgram, nodePackages, nodeProgram, sourceFile, toolNeed } from './needs.js';
import { type Front, type OtherContestant, otherContestant } from './other.js';

/** As many Node processes as Forebay has intake threads by default. */
const PROCESSES = Math.max(1, Math.floor(availableParallelism() / 2));

/** Collects garbage less often, as Go's GC guide advises where memory is plentiful: Bento is a fifth faster, net/http a few percent. */
const GO_ENV = { GOGC: '400' };

/** The alternatives to Forebay. README.md in this folder says how each is tuned. */
export const others = othersOf(PROCESSES);

/** @param processes Node processes on one port; Go programs use all cores by themselves */
export function othersOf(processes: number): readonly OtherContestant[] {
  return [
    ...(['default', 'always'] as const).map((sync) => fastifyJetStream(sync, processes)),
    ...(['everysec', 'always'] as const).map((sync) => fastifyBullmq(sync, processes)),
    ...(['classic', 'quorum'] as const).map((type) => expressRabbitmq(type, processes)),
    ...(['default', 'always'] as const).map(goJetStream),
    bentoJetStream(),
    ...(['default', 'always'] as const).map(bentoInBatches),
  ];
}

function fastifyJetStream(sync: 'default' | 'always', processes: number): OtherContestant {
  return otherContestant({
    name: `Fastify + JetStream${sync === 'always' ? ', sync always' : ''}`,
    durability: sync === 'always' ? 'fsync' : 'system',
    about:
      'Fastify with schemas for body and answer; one publish per order or batch, many in flight',
    batches: 'array',
    needs: [nodePackages, toolNeed('nats-server')],
    startBroker: () => startJetStream(sync),
    startFront: (url) => startNode('fastify-jetstream.mjs', [url, QUEUE], processes),
  });
}

function fastifyBullmq(sync: 'everysec' | 'always', processes: number): OtherContestant {
  return otherContestant({
    name: `Fastify + BullMQ on Redis, appendfsync ${sync}`,
    durability: sync === 'always' ? 'fsync' : 'system',
    about: 'Fastify as above; one job per order; Redis with an append-only file and no snapshots',
    needs: [nodePackages, toolNeed('redis-server')],
    startBroker: () => startRedis(sync),
    startFront: (url) => startNode('fastify-bullmq.mjs', [url, QUEUE], processes),
  });
}

function expressRabbitmq(type: 'classic' | 'quorum', processes: number): OtherContestant {
  return otherContestant({
    name: `Express + RabbitMQ, ${type} queue`,
    durability: 'fsync',
    about:
      'Express with ajv; amqplib, one persistent message per order to a durable queue, publisher confirms',
    needs: [nodePackages, toolNeed('rabbitmq-server')],
    startBroker: startRabbitmq,
    startFront: (url) => startNode('express-rabbitmq.mjs', [url, QUEUE, type], processes),
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
    about: 'net/http and nats.go; one PublishAsync per order or batch; all cores, GOGC=400',
    batches: 'array',
    needs: [goNeed('go-nats'), toolNeed('nats-server')],
    startBroker: () => startJetStream(sync),
    startFront: (url) =>
      startFront({ file: goProgram('go-nats'), args: [url, QUEUE], env: GO_ENV }),
  });
}

function bentoJetStream(): OtherContestant {
  return bento('orders.yaml', 'default', {
    name: 'Bento to JetStream',
    about:
      'the stream processor, a fork of Benthos: http_server to nats_jetstream; all cores, GOGC=400',
  });
}

/** Its own group commit: the output collects messages, and all their requests are answered when the batch has its ack. */
function bentoInBatches(sync: 'default' | 'always'): OtherContestant {
  return bento('batches.yaml', sync, {
    name: `Bento to JetStream, batching${sync === 'always' ? ', sync always' : ''}`,
    about:
      'the same with a batching policy: one publish for up to 64 messages, or for those of 2 ms; arrays are unpacked',
    batches: 'array',
  });
}

function bento(
  config: string,
  sync: 'default' | 'always',
  named: Pick<OtherContestant, 'name' | 'about' | 'batches'>,
): OtherContestant {
  return otherContestant({
    ...named,
    durability: sync === 'always' ? 'fsync' : 'system',
    needs: [goNeed('bento'), toolNeed('nats-server')],
    startBroker: () => startJetStream(sync),
    startFront: async (natsUrl) => {
      const address = `127.0.0.1:${await freePort()}`;
      return startFront({
        file: goProgram('bento'),
        args: ['--config', sourceFile('bento', config)],
        env: { ...GO_ENV, ADDRESS: address, NATS_URL: natsUrl, SUBJECT: QUEUE },
        url: `http://${address}`,
      });
    },
  });
}
