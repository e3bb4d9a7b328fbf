import { type NatsNode, startNatsCluster } from '../support/nats-cluster.js';
import { type Fault, ONLY_200 } from './fault.js';
import type { Stage } from './stage.js';

const NODES = 3;

/** Two Forebays drain one stream while each node in turn goes down and comes back. */
async function eachNode(
  stage: Stage,
  takeDown: (node: NatsNode) => Promise<void>,
  bringBack: (node: NatsNode) => Promise<void>,
): Promise<void> {
  const nodes = await startNatsCluster(stage, stage.folder, NODES);
  const urls = nodes.map(({ url }) => url).join(',');
  const flags = ['--handler', stage.plainHandler(), '--nats', urls];
  flags.push('--nats-replicas', String(NODES));
  await stage.shop(flags);
  await stage.shop(flags);
  stage.load();
  for (const node of nodes) {
    await stage.pass(stage.between(500, 2000));
    await takeDown(node);
    await stage.pass(stage.between(500, stage.isShort ? 3000 : 10_000));
    await bringBack(node);
  }
  await stage.pass(stage.between(500, 2000));
  await stage.finish();
}

export const clusterFaults: readonly Fault[] = [
  {
    name: 'cluster-kill',
    what: 'two Forebays, three NATS nodes, 3 replicas; kill -9 and restart of each node in turn',
    guarantees: ONLY_200,
    run: (stage) =>
      eachNode(
        stage,
        (node) => node.kill9(),
        (node) => node.start(),
      ),
  },
  {
    name: 'cluster-freeze',
    what: 'the same with SIGSTOP: a leader does not know that it was replaced',
    isLongOnly: true,
    guarantees: ONLY_200,
    run: (stage) =>
      eachNode(
        stage,
        async (node) => node.freeze(),
        async (node) => {
          node.thaw();
          await node.healthy();
        },
      ),
  },
];
