import cluster from 'node:cluster';
import { once } from 'node:events';

/**
 * Runs `serve` in `count` processes on one port, and prints the URL and the process ids. A count of 1 runs it in this process,
 * because node:cluster would only add a hop.
 *
 * @param {number} count
 * @param {() => Promise<string>} serve resolves with its URL when it accepts orders
 */
export async function inProcesses(count, serve) {
  if (cluster.isWorker) process.send(await serve());
  else if (count === 1) printReady(await serve(), [process.pid]);
  else await inWorkers(count);
}

async function inWorkers(count) {
  const workers = Array.from({ length: count }, () => cluster.fork());
  // Otherwise fewer processes would be measured than were asked for.
  cluster.on('exit', () => process.exit(1));
  const urls = await Promise.all(workers.map((worker) => once(worker, 'message')));
  printReady(
    urls[0][0],
    workers.map((worker) => worker.process.pid),
  );
}

function printReady(url, pids) {
  console.log(`ready ${url} pids ${pids.join(',')}`);
}
