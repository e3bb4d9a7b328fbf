/** What a handler throws crosses to the drain thread in a few hundred characters, whatever it is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutError, hasFlag, placeOf, reasonOf, valueText } from '../../workers/pool/thrown.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { ledgerHandler } from './handlers.js';

const CHARS_MAX = 6000;

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const odd: readonly (readonly [string, () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a long string', () => 'x'.repeat(1e6)],
  ['a symbol', () => Symbol('s'.repeat(1e6))],
  ['a huge integer', () => 10n ** 100_000n],
  ['an object without a prototype', () => Object.create(null)],
  ['a revoked proxy', revoked],
  [
    'an error with a revoked proxy as its message',
    () => Object.assign(new Error(), { message: revoked() }),
  ],
  ['an array of a million', () => new Array(1e6).fill('element')],
  [
    'an object whose text throws',
    () => ({
      toString() {
        throw new Error('no text');
      },
    }),
  ],
  [
    'an error whose message throws',
    () =>
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no message');
        },
      }),
  ],
  [
    'an error whose stack throws',
    () =>
      Object.defineProperty(new Error('x'), 'stack', {
        get() {
          throw new Error('no stack');
        },
      }),
  ],
  [
    'an error whose constructor is gone',
    () => Object.assign(new Error('x'), { constructor: undefined }),
  ],
  [
    'an error whose flags throw',
    () =>
      Object.defineProperty(new Error('x'), 'dead', {
        get() {
          throw new Error('no flag');
        },
      }),
  ],
  ['an error with a long message', () => new Error('x '.repeat(1e6))],
  [
    'an error with a long name',
    () => Object.assign(new (class extends Error {})('x'), { name: 'n'.repeat(1e6) }),
  ],
  ['an error with a large cause', () => new Error('x', { cause: new Array(1e6).fill('element') })],
  [
    'an error with a stack of a million lines',
    () => Object.assign(new Error('x'), { stack: 'Error: x\n    at y\n'.repeat(1e5) }),
  ],
];

describe('what a handler throws', () => {
  for (const [what, make] of odd) {
    it(`${what}: is described in few characters`, () => {
      const thrown = make();
      for (const text of [reasonOf(thrown), placeOf(thrown), valueText(thrown)]) {
        assert.equal(typeof text, 'string');
        assert.ok(text.length <= 500, `${text.length} characters`);
        assert.doesNotMatch(text, /\n/);
      }
      assert.equal(hasFlag(thrown, 'dead'), false);
      const error = cutError(thrown);
      const copied = [error.message, error.stack, ...Object.values(error)].join('');
      assert.ok(copied.length <= CHARS_MAX, `${copied.length} characters`);
      assert.equal(error.cause, undefined);
    });
  }

  it('keeps the class, the message and the place of an ordinary error', () => {
    const thrown = new RangeError('the shelf has 3 places');
    assert.equal(reasonOf(thrown), 'the shelf has 3 places');
    assert.match(placeOf(thrown), /^RangeError at .*thrown\.test/);
    const cut = cutError(thrown);
    assert.ok(cut instanceof RangeError);
    assert.match(cut.stack!, /at .*thrown\.test/);
  });

  it('that is no Error keeps its message, and its flags', () => {
    const thrown = { message: 'no database', pause: true };
    assert.equal(reasonOf(thrown), 'no database');
    assert.equal(hasFlag(thrown, 'pause'), true);
  });
});

describe('a message of 100 MB', () => {
  for (const [what, body] of [
    ['thrown', `throw new Error('x'.repeat(1e8));`],
    ['thrown as text', `throw 'x'.repeat(1e8);`],
    [
      'of a promise left behind',
      `Promise.reject(new Error('x'.repeat(1e8))); await new Promise(() => setInterval(() => {}, 1000));`,
    ],
    [
      'returned as an outcome',
      `return orders.map(({ data }) => (data.username === 'large' ? 'x'.repeat(1e8) : 'done'));`,
    ],
  ]) {
    it(`${what} makes a dead letter with a short reason, and the process goes on`, async (t) => {
      const handler = await ledgerHandler(
        t,
        `if (orders.some(({ data }) => data.username === 'large')) { ${body} }`,
      );
      const flags = ['--handler', handler.file, '--attempts-max', '2', '--retry-ms-min', '20'];
      const forebay = await startForebay(flags, { owner: t });
      const client = new OrderClient(forebay.url);
      await client.postAll(['a', 'large', 'b']);
      client.close();
      const count = (status: string) => metric(forebay, `work_done_total{status="${status}"}`);
      await eventually(
        'all are through',
        async () => (await count('done')) + (await count('error')) >= 3,
      );
      assert.equal(await count('error'), 1);
      const listed = await runForebay(['dlq', 'list', '--json', '--data', forebay.data]);
      const { reason } = JSON.parse(listed.stdout);
      assert.ok(reason.length <= 700, `${reason.length} characters`);
      assert.equal(await forebay.stop(), 0);
    });
  }
});
