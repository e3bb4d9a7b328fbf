/** `forebay health`: asks a running server how it is, for containers, which have no curl. */
import { EXIT } from '../../model/fault.js';
import { askAdmin, findAdmin } from '../admin-client.js';

/** Less than the 3 s that the image gives its health check. */
const ANSWER_MS_MAX = 2000;

/** @returns 0 if the server answers 200, else 1: for Docker, no other code has a meaning */
export async function run(argv: readonly string[]): Promise<number> {
  const path = argv.includes('--ready') ? '/readyz' : '/healthz';
  const options = argv.filter((argument) => argument !== '--ready');
  try {
    const question = { method: 'GET', path, body: '', msMax: ANSWER_MS_MAX } as const;
    const { status, text } = await askAdmin(findAdmin('health', options), question);
    process.stdout.write(`${status} ${text}\n`);
    return status === 200 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`);
    return EXIT.failed;
  }
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
