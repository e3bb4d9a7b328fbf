import type { IncomingMessage } from 'node:http';
import {
  BY_OPTION,
  BY_SCHEDULE,
  DRAIN_RATE_MAX,
  type DrainChange,
} from '../model/drain-control.js';
import { type DrainFacts, type DrainView, drainView } from '../model/drain-view.js';
import { type Answer, bodyOf, json, otherMethod } from './answer.js';

export const DRAIN_PATH = '/drain';
const BODY_BYTES_MAX = 4096;
const MEMBERS = ['rate', 'pause', 'by'];
/** Set by proxies. Behind one, everybody can seem to be on this machine. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip'];

/** GET and PUT /drain: shows and sets rate and pause of the drain. */
export class DrainRoute {
  readonly #facts: DrainFacts;
  readonly #mayChange: () => boolean;

  /** @param mayChange whether a client of this route may change the drain */
  constructor(facts: DrainFacts, mayChange: () => boolean) {
    this.#facts = facts;
    this.#mayChange = mayChange;
  }

  view(): DrainView {
    return drainView(this.#facts, this.#mayChange());
  }

  /** @param hasShown whether the client has shown a token or a session */
  async answer(request: IncomingMessage, hasShown: boolean): Promise<Answer> {
    const wrongMethod = otherMethod(request, ['GET', 'HEAD', 'PUT']);
    if (wrongMethod !== null) return wrongMethod;
    if (request.method !== 'PUT') return json(200, this.view());
    const isProxied = PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
    if (!this.#mayChange() || (isProxied && !hasShown)) return json(403, FORBIDDEN);
    const text = await bodyOf(request, BODY_BYTES_MAX);
    if (text === null) return json(413, { result: 'too-large' }, { Connection: 'close' });
    const change = this.#parse(text, callerOf(request));
    if (typeof change === 'string') return json(400, { result: 'invalid', reason: change });
    try {
      await this.#facts.control.change(change);
    } catch (error) {
      return json(503, { result: 'not-kept', reason: (error as Error).message });
    }
    return json(200, this.view());
  }

  /** @returns the change, or what is wrong with the body */
  #parse(text: string, caller: string): DrainChange | string {
    const body = parseJson(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      return 'the body must be a JSON object with rate, pause or both';
    }
    const unknown = Object.keys(body).find((name) => !MEMBERS.includes(name));
    if (unknown !== undefined) {
      return `${JSON.stringify(unknown.slice(0, 40))}: the members are rate, pause and by`;
    }
    const { rate, pause, by = caller } = body as Readonly<Record<string, unknown>>;
    if (rate === undefined && pause === undefined) return 'the body has neither rate nor pause';
    if (typeof by !== 'string') return 'by: it must be a text';
    if (by === BY_SCHEDULE || by === BY_OPTION) return `by: "${by}" is nobody; name who asks`;
    const isReason = typeof pause === 'string' && pause.trim() !== '';
    if (pause !== undefined && pause !== null && !isReason) {
      return 'pause: it must be a text that says why, or null to go on';
    }
    const paused = pause === undefined ? { by } : { by, pause: pause as string | null };
    if (rate === undefined) return paused;
    if (rate === 'schedule') {
      const isThere = this.#facts.scheduled() !== null;
      return isThere ? { ...paused, followsSchedule: true } : NO_SCHEDULE;
    }
    if (!Number.isInteger(rate) || (rate as number) < 0 || (rate as number) > DRAIN_RATE_MAX) {
      return `rate: it must be a whole number from 0 to ${DRAIN_RATE_MAX}, or "schedule"`;
    }
    // A rate that is set while the schedule pauses ends that pause.
    const { setting } = this.#facts.control;
    const resumed = setting.pause !== null && setting.by === BY_SCHEDULE ? { pause: null } : {};
    return { ...resumed, ...paused, rate: rate as number, followsSchedule: false };
  }
}

const NO_SCHEDULE = 'rate "schedule": this server has no --drain-schedule';

const FORBIDDEN = {
  result: 'forbidden',
  reason:
    'the drain is changed only with a token, or on this machine if the admin server listens on loopback and no proxy is before it; fix: --admin-token-file',
};

/** Undefined if it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Who asks, where the request does not say. Only pages send an origin. */
function callerOf({ headers, socket }: IncomingMessage): string {
  const what = headers.origin === undefined ? 'admin API' : 'live page';
  return `${what} at ${socket.remoteAddress ?? 'an unknown address'}`;
}
