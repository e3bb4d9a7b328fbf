import { resolve } from 'node:path';
import { schema } from './schema.js';
import { fault, type OptionKey, quoteOption, readSources } from './sources.js';
import { environmentName, rangeText } from './spec.js';

export interface AdminAddress {
  /** Dialable: where the server listens on every address, one of this machine. */
  readonly host: string;
  /** 0 if the server picks a free one. */
  readonly port: number;
  /** Absolute; empty if it asks for no token. */
  readonly tokenFile: string;
  /** The same for servers that share a NATS stream; empty for those with a journal of their own. */
  readonly shared: string;
}

/**
 * Where a server with these options has its admin port. Does not check the other options: a server that runs has done
 * that.
 *
 * @param folder from which the path of the configuration file starts
 * @throws OperatorFault an option is unknown, the port is no port, or a file cannot be read
 */
export function adminAddressOf(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  folder = process.cwd(),
): AdminAddress {
  const name = environmentName('config');
  const config = env[name];
  const { given: values } = readSources(absolute(argv, folder), {
    ...env,
    ...(config ? { [name]: resolve(folder, config) } : {}),
  });
  const inForce = (key: OptionKey) => String(values.get(key)?.value ?? schema[key].default);
  const host = inForce('adminHost');
  const dialled: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const given = inForce('adminPort');
  const port = Number(given);
  const { min, max } = schema.adminPort;
  if (!/^\d+$/.test(given) || port < min || port > max) {
    const range = rangeText(schema.adminPort);
    throw fault(`--admin-port ${quoteOption('adminPort', given)}: must be ${range}`);
  }
  const tokenFile = inForce('adminTokenFile');
  return {
    host: dialled[host] ?? host,
    port,
    tokenFile: tokenFile === '' ? '' : resolve(folder, tokenFile),
    shared: inForce('nats') === '' ? '' : `${inForce('natsStream')} ${inForce('nats')}`,
  };
}

/** With the path of the configuration file from `folder` on. */
function absolute(argv: readonly string[], folder: string): string[] {
  const flag = '--config';
  return argv.map((word, i) => {
    if (argv[i - 1] === flag) return resolve(folder, word);
    const isAssigned = word.startsWith(`${flag}=`);
    return isAssigned ? `${flag}=${resolve(folder, word.slice(flag.length + 1))}` : word;
  });
}
