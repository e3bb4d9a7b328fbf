import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoginAttempts, WRONG_TOKEN_MS, WRONG_TOKENS_MAX } from '../../src/admin/login-attempts.js';
import { cookieOf, Sessions } from '../../src/admin/sessions.js';

/** @returns how many different wrong tokens were compared from `fromMs` to `toMs`, asked for every 10 ms */
function compared(
  attempts: LoginAttempts,
  ip: (n: number) => string,
  fromMs: number,
  toMs: number,
) {
  let count = 0;
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 10) {
    if (attempts.waitMs(ip(nowMs), nowMs) > 0) continue;
    count++;
    attempts.failed(ip(nowMs), `wrong ${nowMs}`, nowMs);
  }
  return count;
}

describe('wrong tokens of an address', () => {
  it('are compared at a bounded rate for as long as they come', () => {
    const attempts = new LoginAttempts();
    const hourMs = 3_600_000;
    const count = compared(attempts, () => '192.0.2.1', 0, hourMs);
    const most = WRONG_TOKENS_MAX + hourMs / WRONG_TOKEN_MS;
    assert.ok(count <= most && count >= most - 2, `${count} of ${most}`);
    assert.equal(attempts.waitMs('192.0.2.2', hourMs), 0);
  });

  it('may come after the wait that is named, and not before', () => {
    const attempts = new LoginAttempts();
    compared(attempts, () => '192.0.2.1', 0, 1000);
    const waitMs = attempts.waitMs('192.0.2.1', 1000);
    assert.ok(waitMs > 0);
    assert.ok(attempts.waitMs('192.0.2.1', 1000 + waitMs - 1) > 0);
    assert.equal(attempts.waitMs('192.0.2.1', 1000 + waitMs + 1), 0);
  });

  it('count for the whole network of an IPv6 client, and for an IPv4 address in both spellings', () => {
    const last = (n: number) => (n % 65_536).toString(16);
    const networks = [
      (n: number) => `2001:db8:1:2:${last(n)}::${last(n)}`,
      (n: number) => `2001:db8:0:0:${last(n)}:1:2:3`,
      (n: number) => (n % 20 === 0 ? '192.0.2.7' : '::ffff:192.0.2.7'),
    ];
    for (const ip of networks) {
      assert.equal(compared(new LoginAttempts(), ip, 10, 1000), WRONG_TOKENS_MAX, ip(1));
    }
    const attempts = new LoginAttempts();
    compared(attempts, networks[0]!, 0, 1000);
    assert.ok(attempts.waitMs('2001:db8:1:2::1', 1000) > 0);
    assert.equal(attempts.waitMs('2001:db8:1:3::1', 1000), 0);
  });
});

describe('a session', () => {
  const TOKENS = ['a-token-of-this-test', 'another-token-of-this-test'];
  const DAY_MS = 86_400_000;

  it('ends after a week, and is renewed by those who come back', () => {
    const sessions = new Sessions();
    const text = sessions.begin(TOKENS[1]!, 0);
    const young = sessions.find(text, TOKENS, 60_000)!;
    assert.equal(sessions.renewed(young, 60_000), null);
    assert.notEqual(sessions.find(text, TOKENS, 7 * DAY_MS - 1), null);
    assert.equal(sessions.find(text, TOKENS, 7 * DAY_MS), null);
    const renewed = sessions.renewed(sessions.find(text, TOKENS, DAY_MS)!, DAY_MS)!;
    const later = sessions.find(renewed, TOKENS, 8 * DAY_MS - 1)!;
    assert.equal(later.token, TOKENS[1]);
    assert.equal(sessions.find(renewed, TOKENS.slice(0, 1), DAY_MS), null);
    // The logout ends the session under both texts.
    sessions.end(later);
    assert.equal(sessions.find(text, TOKENS, DAY_MS), null);
    assert.equal(sessions.find(renewed, TOKENS, DAY_MS), null);
  });

  it('is found in the cookie of its exact name', () => {
    assert.equal(cookieOf('a=1; forebay-1=x.y; forebay-11=z', 'forebay-1'), 'x.y');
    assert.equal(cookieOf('forebay-11=z', 'forebay-1'), '');
    assert.equal(cookieOf(undefined, 'forebay-1'), '');
    assert.equal(cookieOf('forebay-1', 'forebay-1'), '');
  });
});
