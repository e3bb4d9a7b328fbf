import { once } from 'node:events';
import { connect } from 'node:net';

const CONNECTIONS = 256;

/**
 * Posts so many orders, each under a user name of its own, over a fixed number of connections with one
 * request at a time on each. Cheaper than a whole HTTP client, since every answer is known beforehand.
 *
 * @throws Error at the first answer other than 200
 */
export async function postOrders(url: string, orders: number): Promise<void> {
  const { hostname, port } = new URL(url);
  let next = 0;
  const postOn = async () => {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    while (next < orders) {
      socket.write(request(`user-${next++}`));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      const line = answer.toString('latin1', 0, answer.indexOf('\r'));
      if (!line.startsWith('HTTP/1.1 200')) throw new Error(`${url} answers ${line}`);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, orders) }, postOn));
}

function request(username: string): string {
  const body = JSON.stringify({ product_id: '33', count: '3', username });
  return `POST /orders HTTP/1.1\r\nHost: bench\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
