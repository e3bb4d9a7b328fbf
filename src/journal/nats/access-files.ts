import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { EXIT, OperatorFault } from '../../model/fault.js';
import type { NatsFiles } from '../../model/options.js';

/** Those that the options name. */
export function filesOf(options: NatsFiles): NatsFiles {
  const { natsTlsCa, natsTlsCert, natsTlsKey, natsCreds, natsNkey } = options;
  return { natsTlsCa, natsTlsCert, natsTlsKey, natsCreds, natsNkey };
}

export const NO_FILES: NatsFiles = {
  natsTlsCa: '',
  natsTlsCert: '',
  natsTlsKey: '',
  natsCreds: '',
  natsNkey: '',
};

/**
 * What the client needs of these files. They are read again at each connect, so that renewed ones are used.
 * @param needsTls whether a URL demands TLS
 * @throws OperatorFault a file cannot be read, or is not what it should be
 */
export function accessOptions(
  files: NatsFiles,
  needsTls: boolean,
): Pick<ConnectionOptions, 'tls' | 'authenticator'> {
  const authenticator = authenticatorOf(files);
  const tls = tlsOf(files, needsTls);
  return {
    ...(authenticator === null ? {} : { authenticator }),
    ...(tls === null ? {} : { tls }),
  };
}

function tlsOf(
  { natsTlsCa, natsTlsCert, natsTlsKey }: NatsFiles,
  needsTls: boolean,
): NonNullable<ConnectionOptions['tls']> | null {
  if ((natsTlsCert === '') !== (natsTlsKey === '')) {
    throw new OperatorFault(
      'a client certificate for NATS is --nats-tls-cert and --nats-tls-key together',
      EXIT.usage,
    );
  }
  if (!needsTls && natsTlsCa === '' && natsTlsCert === '') return null;
  const [ca, cert, key] = [
    read('--nats-tls-ca', natsTlsCa),
    read('--nats-tls-cert', natsTlsCert),
    read('--nats-tls-key', natsTlsKey),
  ];
  // Other than with a key, text that is no certificate is no error.
  requirePem('--nats-tls-ca', natsTlsCa, 'certificates in PEM', () => new X509Certificate(ca!));
  requirePem(
    '--nats-tls-cert',
    natsTlsCert,
    'a certificate in PEM with the key of --nats-tls-key',
    () => createSecureContext({ cert, key }),
  );
  return {
    ...(natsTlsCa === '' ? {} : { caFile: natsTlsCa }),
    ...(natsTlsCert === '' ? {} : { certFile: natsTlsCert, keyFile: natsTlsKey }),
  };
}

function requirePem(flag: string, file: string, expected: string, load: () => unknown): void {
  if (file === '') return;
  try {
    load();
  } catch (error) {
    const { message } = error as Error;
    throw new OperatorFault(`${flag} ${file}: expected ${expected} (${message})`, EXIT.usage);
  }
}

function authenticatorOf({ natsCreds, natsNkey }: NatsFiles): Authenticator | null {
  if (natsCreds !== '' && natsNkey !== '') {
    throw new OperatorFault('--nats-creds and --nats-nkey exclude each other', EXIT.usage);
  }
  const [flag, file] = natsCreds === '' ? ['--nats-nkey', natsNkey] : ['--nats-creds', natsCreds];
  if (file === '') return null;
  const make = natsCreds === '' ? nkeyOf : credsAuthenticator;
  const authenticator: Authenticator = (nonce) => make(readFileSync(file))(nonce);
  const expected = natsCreds === '' ? 'the seed of an nkey' : 'a credentials file of NATS';
  read(flag, file);
  try {
    authenticator('nonce');
  } catch {
    // The error may quote the seed.
    throw new OperatorFault(`${flag} ${file}: expected ${expected}`, EXIT.usage);
  }
  return authenticator;
}

function nkeyOf(seed: Uint8Array): Authenticator {
  return nkeyAuthenticator(Buffer.from(Buffer.from(seed).toString('utf8').trim()));
}

/** Undefined without a file. */
function read(flag: string, file: string): Buffer | undefined {
  if (file === '') return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : `it cannot be read: ${code ?? message}`;
    throw new OperatorFault(
      `${flag} ${file}: ${why}; name a file that Forebay can read`,
      EXIT.usage,
    );
  }
}
