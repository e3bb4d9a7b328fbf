/** A handler may return anything: what is said about it helps, and is short. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Order } from '../../src/model/order.js';
import { OUTCOME_DEAD, OUTCOME_DONE, OUTCOME_RETRY } from '../../src/model/pool-messages.js';
import { charsNeeded, withoutData } from '../../workers/pool/order-data.js';
import { InvalidOutcomes, readOutcomes } from '../../workers/pool/outcomes.js';
import { hasFlag, retryAfterMsOf } from '../../workers/pool/thrown.js';

const CHARS_MAX = 700;

function orderWith(data: unknown, id = 'ID'): Order<unknown> {
  const json = JSON.stringify(data);
  return { id, attempt: 1, acceptedAt: 0, data, json, headers: {} };
}

const PLAIN = orderWith({ product_id: '33', count: '3', username: 'ada' });

/** What is read of one outcome between two that are done. */
function readOne(outcome: unknown, order = PLAIN) {
  const read = readOutcomes(['done', outcome, 'done'], 3, () => order);
  assert.equal(read.outcomes![0], OUTCOME_DONE);
  assert.equal(read.outcomes![2], OUTCOME_DONE);
  return { outcome: read.outcomes![1], note: read.notes?.get(1) ?? null };
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwing(member: string): object {
  return Object.defineProperty({ outcome: 'retry' }, member, {
    get() {
      throw new Error('no');
    },
  });
}

class Answer {
  readonly status = 200;
}

describe('an outcome', () => {
  for (const [what, said, expected] of [
    ['done', 'done', OUTCOME_DONE],
    ['retry', 'retry', OUTCOME_RETRY],
    ['dead', 'dead', OUTCOME_DEAD],
    ['an object with done', { outcome: 'done', reason: 'x' }, OUTCOME_DONE],
    ['an object with dead alone', { outcome: 'dead' }, OUTCOME_DEAD],
    [
      'an object with done and a member that says nothing',
      { outcome: 'done', why: 1 },
      OUTCOME_DONE,
    ],
    [
      'an object with empty members',
      { outcome: 'dead', reason: '', retryAfterMs: null },
      OUTCOME_DEAD,
    ],
    ['an object whose dead has a wait', { outcome: 'dead', retryAfterMs: 'never' }, OUTCOME_DEAD],
  ] as const) {
    it(`${what}: needs no note`, () => {
      assert.deepEqual(readOne(said), { outcome: expected, note: null });
    });
  }

  for (const [what, reason, expected] of [
    ['a text', 'no such product', 'no such product'],
    ['with line ends and control characters', 'a\nb\u0000\u001b[31mc\r\n\u202ed', 'a b [31mc d'],
    ['an error', new TypeError('no table'), 'no table'],
    ['a number', 7, '7'],
    ['half a character', 'x\ud83d', 'x\ufffd'],
    ['10 MB', 'long '.repeat(2e6), 'long '.repeat(100)],
    ['10 MB without a space', 'x'.repeat(1e7), 'x'.repeat(500)],
    ['a value that cannot be read', throwing('message'), 'a value that cannot be read'],
    ['a revoked proxy', revoked(), 'a value that cannot be read'],
    ['an object', { code: 5 }, 'an object with code'],
  ] as const) {
    it(`with the reason ${what}: is one short line`, () => {
      const { note } = readOne({ outcome: 'dead', reason });
      assert.equal(note!.reason, expected);
      assert.equal(note!.shown, expected);
    });
  }

  for (const [what, ms, expected] of [
    ['0', 0, 0],
    ['a part of a millisecond', 0.25, 1],
    ['a negative number', -5, 0],
    ['a huge number', 1e300, 86_400_000],
    ['Infinity', Number.POSITIVE_INFINITY, 86_400_000],
    ['5000', 5000, 5000],
  ] as const) {
    it(`with retryAfterMs ${what}: waits between nothing and a day`, () => {
      const { note, outcome } = readOne({ outcome: 'retry', retryAfterMs: ms });
      assert.equal(outcome, OUTCOME_RETRY);
      assert.equal(note!.retryAfterMs, expected);
      assert.equal(note!.reason, 'the handler returned retry');
    });
  }
});

describe('an outcome that is none', () => {
  for (const [what, said, told] of [
    ['another word', 'ok', `'ok'`],
    ['a name of an object member', 'constructor', `'constructor'`],
    ['true', true, 'true'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a huge integer', 10n ** 9999n, '0n'],
    ['a symbol', Symbol('done'), 'Symbol(done)'],
    ['a function', () => 'done', 'a function'],
    ['an array', ['done'], 'an array of 1'],
    ['an empty object', {}, 'an object without members'],
    ['a status', { status: 200, ok: true }, 'an object with status, ok'],
    ['many members', { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }, 'an object with a, b, c, d, e, …'],
    ['an object of a class', new Answer(), 'an object of class Answer'],
    ['a Map', new Map(), 'an object of class Map'],
    [
      'a promise',
      Promise.resolve('done'),
      'a promise, which it must await, for example with Promise.all,',
    ],
    [
      'an outcome in an outcome',
      { outcome: { outcome: 'dead' } },
      '{ outcome: an object with outcome }',
    ],
    ['another outcome with a reason', { outcome: 'failed', reason: 'x' }, `{ outcome: 'failed' }`],
    ['a member that throws', throwing('outcome'), 'an object with outcome'],
    ['a revoked proxy', revoked(), 'a value that cannot be read'],
    [
      'retryAfterMs NaN',
      { outcome: 'retry', retryAfterMs: Number.NaN },
      'an outcome with retryAfterMs NaN, which is no number of milliseconds',
    ],
    [
      'retryAfterMs as text',
      { outcome: 'retry', retryAfterMs: '5s' },
      `an outcome with retryAfterMs '5s', which is no number of milliseconds`,
    ],
    [
      'retryAfterMs that throws',
      throwing('retryAfterMs'),
      'an outcome with retryAfterMs undefined, which is no number of milliseconds',
    ],
  ] as const) {
    it(`${what}: says so, for which order, and what is allowed`, () => {
      const { outcome, note } = readOne(said);
      assert.equal(outcome, OUTCOME_RETRY);
      const allowed = `an outcome is 'done', 'retry', 'dead' or { outcome, reason, retryAfterMs }`;
      const expected = `the handler returned ${told} for order ID: ${allowed}`;
      assert.deepEqual(note, {
        reason: expected,
        shown: expected,
        kind: 'invalid outcome',
        retryAfterMs: null,
      });
      assert.ok(note!.reason.length <= CHARS_MAX);
    });
  }

  for (const [what, said, reason, told] of [
    [
      'a misspelt reason',
      { outcome: 'dead', reson: 'x' },
      '',
      `{ outcome: 'dead' } with the unknown reson`,
    ],
    [
      'a misspelt wait beside a reason',
      { outcome: 'retry', reason: 'no stock for ada', retryAfter: 5, code: 7 },
      'no stock for ada; ',
      `{ outcome: 'retry' } with the unknown retryAfter, code`,
    ],
    [
      'a value of the order as a member',
      { outcome: 'dead', ada: true },
      '',
      `{ outcome: 'dead' } with the unknown ada`,
    ],
  ] as const) {
    it(`with ${what}: counts as it says, and the member is told`, () => {
      const { outcome, note } = readOne(said);
      assert.equal(outcome, said.outcome === 'dead' ? OUTCOME_DEAD : OUTCOME_RETRY);
      const start = `${reason}the handler returned ${told} for order ID: an outcome is 'done', 'retry'`;
      assert.ok(note!.reason.startsWith(start), note!.reason);
      assert.ok(note!.shown.startsWith(start.replaceAll('ada', '…')), note!.shown);
      assert.equal(note!.kind, 'invalid outcome');
    });
  }

  it('with very many unknown members, or long ones: is short', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`member-${i}`, 1]));
    for (const more of [many, { ['x'.repeat(1e6)]: 1 }]) {
      const { note } = readOne({ ...more, outcome: 'dead', reason: 'long '.repeat(1e5) });
      assert.ok(note!.reason.length <= 1000, `${note!.reason.length} characters`);
    }
  });

  it('a text of 10 MB: only its beginning is told', () => {
    const { note } = readOne('x'.repeat(1e7));
    assert.match(note!.shown, /^the handler returned 'x{100,120} for order ID: an outcome is /);
    assert.ok(note!.reason.length <= CHARS_MAX);
  });

  for (const [what, returned, told] of [
    ['too few', ['done'], 'an array of 1 outcome'],
    ['too many', new Array(9).fill('done'), 'an array of 9 outcomes'],
    ['a word', 'done', `'done'`],
    ['the data of an order', 'ada', 'a text'],
    ['a number', 200, 'a number'],
    ['null', null, 'null'],
    ['an object', { outcome: 'done' }, 'an object with outcome'],
    ['typed memory', new Uint8Array(3), 'an object of class Uint8Array'],
    ['a generator', (function* () {})(), 'an object without members'],
    ['a revoked proxy', revoked(), 'a value that cannot be read'],
  ] as const) {
    for (const [orders, which] of [
      [3, '3 orders'],
      [1, 'order ID'],
    ] as const) {
      if (what === 'too few' && orders === 1) continue;
      it(`${what} for ${which}: says what is allowed`, () => {
        assert.throws(
          () => readOutcomes(returned, orders, () => PLAIN),
          (error: InvalidOutcomes) => {
            const start = `the handler returned ${told} for ${which}: it must return nothing, or an array with one outcome per order`;
            assert.ok(error.failure.shown.startsWith(start), error.failure.shown);
            return error instanceof InvalidOutcomes;
          },
        );
      });
    }
  }
});

describe('a reason without what the order says', () => {
  const order = orderWith({
    name: 'Zoë "Z" O\'Neil',
    lines: [{ sku: 'AB-1', amount: 12.5 }],
    note: 'a long note '.repeat(20),
    letter: 'a',
    flag: true,
  });
  for (const [text, expected] of [
    ['no stock', 'no stock'],
    ['a bad order at all', '… bad order at all'],
    ['no ab-1 in stock', 'no … in stock'],
    ['12.5 is too much, 112.50 too', '… is too much, 112.50 too'],
    [`unknown Zoë "Z" O'Neil`, 'unknown …'],
    [
      JSON.stringify({ name: order.data }),
      '{"name":{"name":"…","lines":[{"sku":"…","amount":…}],"note":"…',
    ],
    [`said ${'a long note '.repeat(20)}and more`, 'said …'],
    ['true', 'true'],
  ] as const) {
    it(text.slice(0, 40), () => assert.equal(withoutData(text, [order]), expected));
  }

  it('a value that the cut would halve is removed too', () => {
    const user = 'somebody@example.org';
    const text = `${'x'.repeat(490)}${user}`;
    const { note } = readOne({ outcome: 'dead', reason: text }, orderWith({ user }));
    assert.equal(note!.shown, `${'x'.repeat(490)}…`);
    assert.ok(charsNeeded(500) > 500);
  });

  for (const [what, value] of [
    ['with a character of two halves at its 64th place', `${'z'.repeat(63)}😀 tail`],
    [
      'of several lines',
      `Main Street 5\r\n\r\n    Berlin\r\n    Germany, ${'floor '.repeat(9)}tail`,
    ],
    ['that begins with a lot of space', `x${' '.repeat(2000)}tail`],
    ['with control characters', 'one\u0007two\u202athree tail'],
    ['with half a character', 'one \ud83d tail'],
  ] as const) {
    it(`a value ${what} is removed as a whole`, () => {
      const said = new Error(`bad address: ${value}`);
      const { note } = readOne({ outcome: 'dead', reason: said }, orderWith({ value }));
      assert.equal(note!.shown, 'bad address: …');
    });
  }

  it('where values before it were removed, no part of the last one is left', () => {
    const words = Array.from({ length: 12 }, (_, i) => `${i}`.padStart(50, 'w'));
    const { note } = readOne({ outcome: 'dead', reason: words.join(' ') }, orderWith({ words }));
    assert.match(note!.shown, /^(?:… )*…$/);
  });

  it('a value in a text that is no outcome is removed too, also where that text is cut', () => {
    const user = 'somebody@example.org';
    for (const said of [`${'x'.repeat(90)} ${user}`, { outcome: `${'x'.repeat(90)} ${user}` }]) {
      const { note } = readOne(said, orderWith({ user }));
      assert.match(note!.shown, /x{90} …/);
      assert.doesNotMatch(note!.shown, /some/);
    }
  });

  it('a value behind a lot of space is removed too', () => {
    const user = 'somebody@example.org';
    const reason = `${'a:          '.repeat(46)}${user}`;
    const { note } = readOne({ outcome: 'dead', reason }, orderWith({ user }));
    assert.match(note!.shown, /^(?:a: )+…$/);
  });

  it('a value of 1 MB, and a million values, cost little', () => {
    const large = orderWith({ text: 'y'.repeat(1e6) });
    assert.equal(withoutData(`it was ${'y'.repeat(500)}`, [large]), 'it was …');
    const many = orderWith(Array.from({ length: 1e6 }, (_, i) => `value-${i}`));
    assert.equal(withoutData('anything', [many]), '…');
  });

  it('the values of kept headers are removed', () => {
    const kept = { ...orderWith({}), headers: { 'x-tenant': 'acme-corp' } };
    assert.equal(withoutData('tenant acme-corp is closed', [kept]), 'tenant … is closed');
  });
});

describe('what a handler throws to wait', () => {
  for (const [what, thrown, expected] of [
    ['nothing', new Error('x'), null],
    ['no error', undefined, null],
    ['undefined', { retryAfterMs: undefined }, null],
    ['a time', { retryAfterMs: 1500 }, 1500],
    ['a negative time', { retryAfterMs: -1 }, 0],
    ['a year', { retryAfterMs: 3e10 }, 86_400_000],
    ['a text', { retryAfterMs: '5' }, Number.NaN],
    ['NaN', { retryAfterMs: Number.NaN }, Number.NaN],
    ['a member that throws', throwing('retryAfterMs'), Number.NaN],
    ['a revoked proxy', revoked(), Number.NaN],
  ] as const) {
    it(`${what}: ${expected}`, () => assert.equal(retryAfterMsOf(thrown), expected));
  }

  it('a flag is true, not just something', () => {
    assert.equal(hasFlag({ pause: 'yes' }, 'pause'), false);
    assert.equal(hasFlag({ dead: true }, 'dead'), true);
  });
});
