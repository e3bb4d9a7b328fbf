/**
 * The reference: uWebSockets.js that reads the body and sends a fixed response, which no intake in JavaScript can beat. It has as
 * many threads on its port as Forebay has by default, so that this holds on large machines too.
 */
import { App, us_socket_local_port } from 'uWebSockets.js';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { answers } from '../../src/model/answers.js';
import { loadOptions } from '../../src/options/load.js';

const { body } = answers.created;

function listen(port: number, listening: (port: number) => void): void {
  App()
    .post('/orders', (response) => {
      response.onAborted(() => {});
      response.onData((_chunk, isLast) => {
        if (!isLast) return;
        response.writeHeader('content-type', 'application/json').end(body);
      });
    })
    .listen('127.0.0.1', port, (socket) => {
      if (socket === false) throw new Error('bare: cannot listen');
      listening(us_socket_local_port(socket));
    });
}

function ready(port: number): void {
  console.log(`bare ready: http://127.0.0.1:${port}`);
}

async function listenInThreads(threads: number): Promise<void> {
  let port = 0;
  for (let i = 0; i < threads; i++) {
    const thread = new Worker(new URL(import.meta.url), { workerData: port });
    [port] = (await once(thread, 'message')) as [number];
  }
  ready(port);
}

if (isMainThread) {
  const { threads } = loadOptions([], {});
  if (threads > 1) await listenInThreads(threads);
  else listen(0, ready);
} else {
  listen(workerData as number, (port) => parentPort!.postMessage(port));
}
