import cluster from 'node:cluster';
import { once } from 'node:events';

/**
 * Has `serve` run in so many processes on one port, and says on stdout where, and which processes they are. One: in this
 * very process, as node's cluster would only add a hop.
 *
 * @param {number} count
 * @param {() => Promise<string>} serve resolves with its url once it takes orders
 */
export async function inProcesses(count, serve) {
  if (cluster.isWorker) process.send(await serve());
  else if (count === 1) sayReady(await serve(), [process.pid]);
  else await inWorkers(count);
}

async function inWorkers(count) {
  const workers = Array.from({ length: count }, () => cluster.fork());
  // Fewer processes than were asked for would be measured as if they were all there.
  cluster.on('exit', () => process.exit(1));
  const said = await Promise.all(workers.map((worker) => once(worker, 'message')));
  sayReady(
    said[0][0],
    workers.map((worker) => worker.process.pid),
  );
}

function sayReady(url, pids) {
  console.log(`ready ${url} pids ${pids.join(',')}`);
}
