/** Asks the admin server of a running server, for subcommands. */
import { request } from 'node:http';
import { EXIT, OperatorFault } from '../model/fault.js';
import { type AdminAddress, adminAddressOf } from '../options/admin-address.js';
import { clientToken } from '../options/admin-tokens.js';
import { type RunningServer, runningServers } from './running-servers.js';

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

export interface AdminQuestion {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  /** Empty for none. */
  readonly body: string;
  readonly msMax: number;
}

/**
 * Where the admin server is: by the options given here, else by those of the server that runs.
 *
 * @param command that asks, for messages
 * @param isAnyRight whether any server will do, of several that share a stream
 * @throws OperatorFault there are several servers, or no fixed port
 */
export function findAdmin(
  command: string,
  argv: readonly string[],
  isAnyRight = false,
): AdminAddress {
  const address =
    argv.length > 0
      ? withToken(adminAddressOf(argv, process.env))
      : addressOfRunning(command, isAnyRight);
  if (address.port !== 0) return address;
  throw new OperatorFault(
    `--admin-port 0 picks any port: give the server a fixed one, or give ${command} the one it has`,
    EXIT.failed,
  );
}

/** With the file of the token that a server of this machine has at that port, unless another is given. */
function withToken(address: AdminAddress): AdminAddress {
  if (address.tokenFile !== '') return address;
  for (const { argv, env, folder } of runningServers()) {
    const running = addressOf(argv, env, folder);
    if (running?.port === address.port && running.host === address.host) return running;
  }
  return address;
}

/** Null for a process that does not serve, because its options are wrong or ask for help. */
function addressOf(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  folder: string,
): AdminAddress | null {
  try {
    return adminAddressOf(argv, env, folder);
  } catch {
    return null;
  }
}

function addressOfRunning(command: string, isAnyRight: boolean): AdminAddress {
  const servers = runningServers();
  if (servers.length > 1) {
    const any = isAnyRight ? oneOf(servers) : null;
    if (any !== null) return any;
    const pids = servers.map(({ pid }) => pid).join(', ');
    throw new OperatorFault(
      `several servers run here (processes ${pids}): give ${command} the --admin-port of one`,
      EXIT.failed,
    );
  }
  const [server] = servers;
  return server === undefined
    ? adminAddressOf([], process.env)
    : adminAddressOf(server.argv, server.env, server.folder);
}

/** One of servers that all share a stream; null if they do not, or none has a fixed port. */
function oneOf(servers: readonly RunningServer[]): AdminAddress | null {
  const addresses = servers.map(({ argv, env, folder }) => addressOf(argv, env, folder));
  const first = addresses.find((address) => address !== null && address.port !== 0) ?? null;
  const isOneStream = addresses.every((address) => address?.shared === first?.shared);
  return isOneStream && first !== null && first.shared !== '' ? first : null;
}

/**
 * Sends a token if the options of the server name a file with one, and the question is not a probe.
 *
 * @throws Error it does not answer in time
 * @throws OperatorFault the file of the token cannot be read, or used
 */
export function askAdmin(
  { host, port, tokenFile }: AdminAddress,
  { method, path, body, msMax }: AdminQuestion,
): Promise<AdminAnswer> {
  const isProbe = path === '/healthz' || path === '/readyz';
  const token = isProbe ? null : clientToken(tokenFile);
  const headers = {
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === '' ? {} : { 'Content-Type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const fail = ({ message }: Error) =>
      reject(
        new OperatorFault(`no answer on port ${port} of ${host}: ${lineOf(message)}`, EXIT.failed),
      );
    const asked = request({ host, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    asked.on('error', fail);
    const late = setTimeout(() => asked.destroy(new Error(`none within ${msMax} ms`)), msMax);
    asked.on('close', () => clearTimeout(late));
    asked.end(body);
  });
}

function lineOf(message: string): string {
  return message.split('\n', 1)[0]!;
}
