import { once } from 'node:events';
import { connect } from 'node:net';

const ANSWER_MS_MAX = 2000;

/** Says something to a port of this machine. @returns the first that comes back @throws Error when nobody listens or answers */
export async function ask(port: number, words: string): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect', { signal });
    socket.write(words);
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    return answer.toString('latin1');
  } finally {
    socket.destroy();
  }
}
