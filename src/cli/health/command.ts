/** `forebay health`: asks a running server how it is, for containers, which have no curl. */
import { get } from 'node:http';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { type AdminAddress, adminAddressOf } from '../../options/admin-address.js';
import { runningServers } from './servers.js';

/** Less than the 3 s that the image gives its health check. */
const ANSWER_MS_MAX = 2000;

/** @returns 0 if the server answers 200, else 1: for Docker, no other code has a meaning */
export async function run(argv: readonly string[]): Promise<number> {
  const path = argv.includes('--ready') ? '/readyz' : '/healthz';
  const options = argv.filter((argument) => argument !== '--ready');
  try {
    const { host, port } = addressOf(options);
    const { status, text } = await ask(host, port, path);
    process.stdout.write(`${status} ${text}\n`);
    return status === 200 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`);
    return EXIT.failed;
  }
}

/** By the options given here, else by those of the server that runs. */
function addressOf(argv: readonly string[]): AdminAddress {
  const address = argv.length > 0 ? adminAddressOf(argv, process.env) : addressOfRunning();
  if (address.port !== 0) return address;
  throw new OperatorFault(
    '--admin-port 0 picks any port: give the server a fixed one, or give health the one it has',
    EXIT.failed,
  );
}

function addressOfRunning(): AdminAddress {
  const servers = runningServers();
  if (servers.length > 1) {
    const pids = servers.map(({ pid }) => pid).join(', ');
    throw new OperatorFault(
      `several servers run here (processes ${pids}): give health the --admin-port of one`,
      EXIT.failed,
    );
  }
  const [server] = servers;
  return server === undefined
    ? adminAddressOf([], process.env)
    : adminAddressOf(server.argv, server.env, server.folder);
}

function ask(host: string, port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = ({ message }: Error) =>
      reject(new Error(`no answer on port ${port} of ${host}: ${message}`));
    const request = get({ host, port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    request.on('error', fail);
    const late = setTimeout(
      () => request.destroy(new Error(`none within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    );
    request.on('close', () => clearTimeout(late));
  });
}

/** What `forebay health --help` prints. */
export function help(): string {
  return `forebay health [--ready] [serve options]: ask a running server how it is

It asks /healthz, or with --ready /readyz, and prints the answer. Without serve
options it finds the server that runs from the same installation, and takes the
admin port from the flags, variables and configuration file that this server
has. It is the health check of the image.

Options
  --ready          whether it accepts orders, not only whether it is alive
  all options of   forebay serve --help, for a server that it cannot find

Examples
  forebay health
  forebay health --ready --admin-port 9000

Exit codes
  0  it is alive, or with --ready, it accepts orders
  1  it is not, it does not answer within 2 s, or an option is wrong
`;
}
