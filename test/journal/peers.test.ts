import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { LedgerPeers } from '../../src/journal/ledger/peers.js';
import type { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';

/** A connection whose server returns what is published, and on which others publish too. */
function connection() {
  let onMessage: (text: string) => void = () => {};
  let onLink: (linked: boolean) => void = () => {};
  const nc = {
    subscribe: (_: string, { callback }: { callback: (e: null, m: object) => void }) => {
      onMessage = (text) => callback(null, { string: () => text });
    },
    publish: (_: string, text: string) => onMessage(text),
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
    onLink: (listener: (linked: boolean) => void) => {
      onLink = listener;
      return () => {};
    },
  };
  return {
    fake: fake as unknown as JetStreamConnection,
    set: (up: boolean, linked = up) => {
      Object.assign(state, { up, linked });
      onLink(linked);
    },
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

describe('whether another instance is alive', () => {
  it('is denied after 7 s without a heartbeat', (t) => {
    const pass = clock(t);
    const { fake, set, hear } = connection();
    const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self');
    t.after(() => peers.close());
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
    const pass = clock(t);
    const { fake, set, hear } = connection();
    const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self');
    t.after(() => peers.close());
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
    const pass = clock(t);
    const { fake, set, hear } = connection();
    let isTroubled = false;
    const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self', () => isTroubled);
    t.after(() => peers.close());
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

describe('the own heartbeats', () => {
  it('go on while NATS elects leaders after a lost connection, for a minute', (t) => {
    const pass = clock(t);
    const { fake, set } = connection();
    const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self');
    t.after(() => peers.close());
    set(true);
    pass(10_000);
    assert.ok(peers.isHeard);
    set(false);
    set(false, true);
    pass(59_000);
    assert.ok(peers.isHeard, 'the others must leave it what it has');
    pass(6000);
    assert.ok(!peers.isHeard, 'the others may take over what it has');
    set(true);
    pass(500);
    assert.ok(peers.isHeard);
  });

  it('begin when JetStream serves this process', (t) => {
    const pass = clock(t);
    const { fake, set } = connection();
    const peers = new LedgerPeers(fake, jetStreamNames('FOREBAY'), 'self');
    t.after(() => peers.close());
    set(false, true);
    pass(5000);
    assert.ok(!peers.isHeard);
    set(true);
    assert.ok(peers.isHeard, 'at once');
  });
});
