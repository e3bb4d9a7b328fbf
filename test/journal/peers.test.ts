import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { LedgerPeers } from '../../src/journal/ledger/peers.js';
import type { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';

/** A connection whose server returns what is published, and on which others publish too. */
function connection() {
  let onMessage: (text: string) => void = () => {};
  let onChange: (up: boolean) => void = () => {};
  let sent = 0;
  const nc = {
    subscribe: (_: string, { callback }: { callback: (e: null, m: object) => void }) => {
      onMessage = (text) => callback(null, { string: () => text });
    },
    publish: (_: string, text: string) => {
      sent++;
      onMessage(text);
    },
  };
  const state = { up: false, linked: false };
  const fake = {
    nc,
    get up() {
      return state.up;
    },
    get linked() {
      return state.linked;
    },
    onChange: (listener: (up: boolean) => void) => {
      onChange = listener;
      return () => {};
    },
  };
  return {
    fake: fake as unknown as JetStreamConnection,
    set: (up: boolean) => {
      Object.assign(state, { up, linked: up });
      onChange(up);
    },
    /** The client has a connection again, and JetStream does not answer. */
    link: () => {
      state.linked = true;
    },
    sent: () => sent,
    hear: (peer: string) => onMessage(`${peer} 1 1`),
  };
}

/** Clocks and timers stand still until `pass`. */
function clock(t: TestContext) {
  let nowMs = 1000;
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  t.mock.method(performance, 'now', () => nowMs);
  return (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      nowMs += 500;
      t.mock.timers.tick(500);
    }
  };
}

function opened(t: TestContext, isTroubled?: () => boolean) {
  const pass = clock(t);
  const { fake, ...server } = connection();
  const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self', isTroubled);
  t.after(() => peers.close());
  return { peers, pass, ...server };
}

describe('whether another instance is alive', () => {
  it('is denied after 7 s without a heartbeat', (t) => {
    const { peers, pass, set, hear } = opened(t);
    set(true);
    pass(1000);
    hear('other');
    pass(6500);
    assert.ok(peers.isAlive('other'));
    pass(500);
    assert.ok(!peers.isAlive('other'));
    assert.deepEqual(peers.dead(), ['other']);
  });

  it('is denied only after 20 s, for 20 s after the own connection was lost', (t) => {
    const { peers, pass, set, hear } = opened(t);
    set(true);
    pass(30_000);
    set(false);
    pass(1000);
    set(true);
    pass(500);
    hear('other');
    pass(19_000);
    assert.ok(peers.isAlive('other'), 'the other may still be without a connection');
    hear('other');
    pass(6500);
    assert.ok(peers.isAlive('other'));
    pass(500);
    assert.ok(!peers.isAlive('other'), 'the outage is long over');
  });

  it('is denied only after 20 s, for 20 s after NATS was in trouble', (t) => {
    let isTroubled = false;
    const { peers, pass, set, hear } = opened(t, () => isTroubled);
    set(true);
    pass(30_000);
    for (const trouble of [
      () => peers.trouble(),
      () => {
        isTroubled = true;
      },
    ]) {
      hear('other');
      pass(1000);
      trouble();
      peers.isAlive('other');
      isTroubled = false;
      pass(18_500);
      assert.ok(peers.isAlive('other'));
      pass(500);
      assert.ok(!peers.isAlive('other'));
    }
  });
});

describe('while NATS elects leaders after a lost connection', () => {
  it('the own heartbeats go on, for a minute', (t) => {
    const { pass, set, link, sent } = opened(t);
    set(true);
    pass(10_000);
    set(false);
    const before = sent();
    pass(1000);
    assert.equal(sent(), before, 'there is no connection');
    link();
    pass(5000);
    assert.equal(sent(), before + 10);
    pass(54_000);
    // A minute after JetStream last answered: of it, one second without a connection.
    const atEnd = before + 118;
    assert.equal(sent(), atEnd);
    pass(60_000);
    assert.equal(sent(), atEnd, 'others may take over what it has');
    set(true);
    assert.equal(sent(), atEnd + 1);
    pass(500);
    assert.equal(sent(), atEnd + 2);
  });

  it('this instance starts nothing: its own heartbeats do not count', (t) => {
    const { peers, pass, set, link } = opened(t);
    set(true);
    pass(1000);
    set(false);
    link();
    pass(3000);
    assert.ok(peers.isHeard);
    pass(500);
    assert.ok(!peers.isHeard);
    set(true);
    assert.ok(peers.isHeard);
  });

  it('others that are not heard count as alive until JetStream has answered for 20 s', (t) => {
    const { peers, pass, set, link, hear } = opened(t);
    set(true);
    hear('other');
    pass(1000);
    set(false);
    link();
    pass(40_000);
    assert.ok(peers.isAlive('other'));
    set(true);
    pass(19_500);
    assert.ok(peers.isAlive('other'));
    pass(500);
    assert.ok(!peers.isAlive('other'));
  });
});

it('a lapse of the own heartbeats is counted when they are back', (t) => {
  const { peers, pass, set } = opened(t);
  assert.equal(peers.lapses, 0);
  set(true);
  pass(10_000);
  assert.equal(peers.lapses, 1);
  set(false);
  pass(3000);
  set(true);
  assert.equal(peers.lapses, 1, 'too short');
  set(false);
  pass(3500);
  set(true);
  assert.equal(peers.lapses, 2);
});
