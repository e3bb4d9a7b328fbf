/** `forebay keys`: makes API keys. */
import { parseArgs } from 'node:util';
import { WINDOW_LIMIT_MAX } from '../../memory/window-ring.js';
import { EXIT, OperatorFault } from '../../model/fault.js';
import { quote } from '../../options/sources.js';
import {
  isKeyName,
  KEY_NAME_TEXT,
  keyLine,
  newKey,
  OTHER_NAMES,
  sha256Of,
} from '../../senders/key-file.js';

/** Prints a new key and its line. @throws OperatorFault an argument is wrong */
export async function run(argv: readonly string[]): Promise<number> {
  const { name, rps } = parse(argv);
  const key = newKey();
  const line = keyLine({ name, sha256: sha256Of(key), rps });
  process.stdout.write(`key:  ${key}\nline: ${line}\n`);
  process.stderr.write(
    'Give the key to the sender: it is shown only now. Add the line to the file of --api-keys.\n',
  );
  return EXIT.ok;
}

function parse(argv: readonly string[]): { readonly name: string; readonly rps: number } {
  const { values, positionals } = parsed(argv);
  const [action, name, ...rest] = positionals;
  if (action !== 'new') {
    const found = action === undefined ? 'no action' : `unknown action ${quote(action)}`;
    throw usage(`${found}; use forebay keys new NAME`);
  }
  if (name === undefined || rest.length > 0) throw usage('keys new takes one NAME');
  if (!isKeyName(name)) {
    const reserved = name === OTHER_NAMES ? `, and not ${OTHER_NAMES}` : '';
    throw usage(`NAME ${quote(name)}: must be ${KEY_NAME_TEXT}${reserved}`);
  }
  if (values.rps === undefined) return { name, rps: 0 };
  const rps = /^\d{1,7}$/.test(values.rps) ? Number(values.rps) : 0;
  if (rps < 1 || rps > WINDOW_LIMIT_MAX) {
    const range = `a whole number from 1 to ${WINDOW_LIMIT_MAX}`;
    throw usage(`--rps ${quote(values.rps)}: must be ${range}`);
  }
  return { name, rps };
}

function parsed(argv: readonly string[]) {
  try {
    const options = { rps: { type: 'string' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw usage((error as Error).message.split('\n', 1)[0]!);
  }
}

function usage(message: string): OperatorFault {
  return new OperatorFault(`${message}; see forebay keys --help`, EXIT.usage);
}

/** What `forebay keys --help` prints. */
export function help(): string {
  return `forebay keys new NAME [--rps N]: make an API key

It prints two lines: a new key, which is shown only now, and the line for the
file of --api-keys, which holds the SHA-256 of the key. NAME is who sends with
the key, for limits and metrics; several keys can have the same name.

Options
  --rps N          most requests of NAME in any second; without it, no limit

Examples
  forebay keys new acme --rps 50
  key:  fbk_…
  line: acme 5e884898da28…11ef721d1542d8 rps=50

A server takes up a changed file within seconds.

Exit codes
  0  the key is printed
  1  stdout is closed, or a bug
  2  an argument is wrong
`;
}
