/**
 * Each call between JavaScript and uWebSockets.js costs 30 to 60 ns, an accepted order several µs in all. So an order must
 * not make more of them than it does: this counts them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineFactory, HttpReply, RequestHead } from '../../src/intake/http.js';
import { ENGINE } from '../support/http-engine.js';
import { engineOf, serverHere } from './server-here.js';

const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
/** So many that an answer whose connection is checked, one of about 32, is among them. */
const ORDERS = 200;

/** Counts the calls by name. Calls from uWebSockets.js begin with `on `. */
class Crossings {
  readonly #calls = new Map<string, number>();

  factory(engine: EngineFactory): EngineFactory {
    return {
      ...engine,
      create: (routes, limits, tls) =>
        engine.create(
          routes.map((route) => ({
            ...route,
            answer: (reply, head) => {
              this.#count('on request');
              route.answer(this.#counted(reply), this.#counted(head));
            },
          })),
          limits,
          tls,
        ),
    };
  }

  /** Calls per order. */
  perOrder(): Record<string, number> {
    return Object.fromEntries([...this.#calls].sort().map(([name, n]) => [name, n / ORDERS]));
  }

  #count(name: string): void {
    // One answer of many is ended by `tryEnd`, which can tell whether the client reads.
    const same = name === 'tryEnd' ? 'end' : name;
    this.#calls.set(same, (this.#calls.get(same) ?? 0) + 1);
  }

  #counted<T extends HttpReply | RequestHead>(target: T): T {
    const counted: T = new Proxy(target, {
      get: (_, name) => {
        const method = Reflect.get(target, name) as (...values: unknown[]) => unknown;
        return (...values: unknown[]) => {
          this.#count(String(name));
          const result = method.apply(
            target,
            values.map((value) => this.#countedCallback(`on ${String(name)}`, value)),
          );
          return result === target ? counted : result;
        };
      },
    });
    return counted;
  }

  #countedCallback(name: string, value: unknown): unknown {
    if (typeof value !== 'function') return value;
    return (...values: unknown[]) => {
      this.#count(name);
      return value(...values);
    };
  }
}

test('an order crosses to uWebSockets.js nine times and back three times', async (t) => {
  if (ENGINE !== 'uws') return t.skip('uWebSockets.js is not used here');
  const crossings = new Crossings();
  const { url } = await serverHere(t, crossings.factory(await engineOf('uws')));
  const headers = { 'content-type': 'application/json' };
  for (let i = 0; i < ORDERS; i++) {
    const response = await fetch(url, { method: 'POST', headers, body: ORDER });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
  }
  assert.deepEqual(crossings.perOrder(), {
    // content-type, content-encoding, idempotency-key, expect
    getHeader: 4,
    onAborted: 1,
    onData: 1,
    cork: 1,
    writeStatus: 1,
    end: 1,
    'on request': 1,
    'on onData': 1,
    'on cork': 1,
  });
});
