import { type Finding, fail, ok, warn } from './finding.js';

/** How a port was found. */
export type PortFacts =
  | { readonly is: 'free' | 'forebay' | 'taken' }
  | { readonly is: 'refused'; readonly why: string };

/** `flag` is `--port` or `--admin-port`. */
export function portFinding(flag: string, host: string, port: number, found: PortFacts): Finding {
  const about = flag === '--port' ? 'port' : 'admin port';
  const facts = { port, is: found.is };
  if (port === 0 && found.is === 'free') return ok(about, `any free one on ${host}`, facts);
  const text = `${port} on ${host}`;
  switch (found.is) {
    case 'free':
      return ok(about, `${text}: free`, facts);
    case 'forebay':
      return warn(
        about,
        `${text}: a Forebay that runs has it`,
        `serve starts once that one has stopped; to run both, choose another ${flag}`,
        facts,
      );
    case 'taken':
      return fail(
        about,
        `${text}: taken`,
        `choose another ${flag}, or stop what listens there`,
        facts,
      );
    case 'refused':
      return fail(
        about,
        `${text}: ${found.why}`,
        `see ${flag} and ${flag.replace('port', 'host')}`,
        facts,
      );
  }
}
