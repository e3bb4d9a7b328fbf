/**
 * The yardstick: uWebSockets.js that reads the body to its end and gives a fixed answer. Nothing that
 * takes orders over HTTP from JavaScript can be faster.
 */
import { App, us_socket_local_port } from 'uWebSockets.js';
import { answers } from '../../src/contract/answers.js';

const { body } = answers.created;

App()
  .post('/orders', (response) => {
    response.onAborted(() => {});
    response.onData((_chunk, isLast) => {
      if (!isLast) return;
      response.writeHeader('content-type', 'application/json').end(body);
    });
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('bare: no port to listen on');
    console.log(`bare ready: http://127.0.0.1:${us_socket_local_port(socket)}`);
  });
