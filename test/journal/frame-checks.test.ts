import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeRecord,
  encodeRecord,
  requireConsistentFrame,
} from '../../src/journal/frame/record.js';
import { natsServers } from '../../src/journal/nats/servers.js';
import { fresh } from './frames.js';

const KEY = Buffer.from('key');

describe('a frame that is read', () => {
  it('is accepted with as many complete lines as its count', () => {
    for (const count of [1, 2, 100])
      assert.equal(requireConsistentFrame(fresh(count)).count, count);
  });

  it('is refused when its parts do not agree', () => {
    const frame = fresh(3);
    const { length } = frame.payload;
    const faulty = [
      { ...frame, count: 4 },
      { ...frame, count: 2 },
      { ...frame, payload: frame.payload.subarray(0, length - 1) },
      { ...frame, payload: new Uint8Array(0) },
      { ...frame, refiled: { origin: 'x', indexes: [1, 2] } },
    ];
    for (const broken of faulty) {
      assert.throws(() => requireConsistentFrame(broken), new RegExp(frame.id));
      assert.throws(() => decodeRecord(encodeRecord(broken, KEY), KEY), new RegExp(frame.id));
    }
  });
});

describe('the URLs of NATS servers', () => {
  it('give their credentials to the client and are shown without them', () => {
    const { options, shown } = natsServers(['nats://joe:p%40ss@one:4222', 'nats://two:4223']);
    assert.deepEqual(options, {
      servers: ['nats://one:4222', 'nats://two:4223'],
      user: 'joe',
      pass: 'p@ss',
    });
    assert.equal(shown, 'nats://one:4222, nats://two:4223');
    assert.deepEqual(natsServers(['nats://s3cret@one:4222']).options, {
      servers: ['nats://one:4222'],
      token: 's3cret',
    });
  });
});
