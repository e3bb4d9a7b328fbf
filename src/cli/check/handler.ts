import { type Finding, fail, failAsGiven, ok } from './finding.js';

/** What came of loading a handler in a thread of its own. */
export interface HandlerFacts {
  /** Why serve could not start with it; null when it could. */
  readonly wrong: string | null;
  /** Why what it works for is away; null when it is there, or was not asked. */
  readonly away: string | null;
  /** What its own `check` has to say; null when it has none. */
  readonly note: string | null;
}

export function handlerFinding(handler: string, { wrong, away, note }: HandlerFacts): Finding {
  const about = 'handler';
  const facts = { handler, loads: wrong === null };
  if (wrong !== null) {
    return failAsGiven(about, `${handler}: ${wrong}`, 'see --handler, and docs on it', facts);
  }
  if (away !== null) {
    return fail(
      about,
      `${handler}: ${away}: serve would start, and orders would wait`,
      'see to what the handler works for',
      facts,
    );
  }
  return ok(about, `${handler} loads${note === null ? '' : `; ${note}`}`, facts);
}

/** `why` is that of serve: it names the handler. */
export function handlerMissing(why: string): Finding {
  return failAsGiven('handler', why, 'see --handler', { loads: false });
}
