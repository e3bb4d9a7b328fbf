/**
 * An order that kills the process becomes a dead letter, and no other order pays for it. JetStream: if the next process has
 * another data folder, each crash takes as long as the lease.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NatsServer } from '../support/nats.js';
import {
  accept,
  deadLetters,
  judge,
  killerHandler,
  type Scene,
  SIGKILL,
  supervise,
  temporary,
} from './killers.js';

/** For an intake whose data folder no other process gets. */
const NO_SPOOL = ['--spool-orders-max', '0'];

const SCENE: Scene = { killers: [3, 120], attemptsMax: 2, kill: SIGKILL };

describe('an order whose handler ends the process; JetStream', { concurrency: true }, () => {
  it('becomes a dead letter', async (t) => {
    const [data, handler] = [await temporary(t), await killerHandler(t, SCENE)];
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const place = ['--nats', nats.url];
    await accept(SCENE, data, place);
    const forebay = await supervise(t, { scene: SCENE, handler, data, place });
    judge(SCENE, await handler.lines(), await deadLetters(place));
    assert.equal(await forebay.stop(), 0);
  });

  it('becomes a dead letter, if it was accepted while NATS was away', async (t) => {
    const [data, handler] = [await temporary(t), await killerHandler(t, SCENE)];
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const place = ['--nats', nats.url];
    await nats.kill();
    await accept(SCENE, data, place);
    await nats.start();
    const forebay = await supervise(t, { scene: SCENE, handler, data, place });
    judge(SCENE, await handler.lines(), await deadLetters(place));
    assert.equal(await forebay.stop(), 0);
  });

  it('becomes a dead letter, if each process that dies has another data folder', async (t) => {
    const handler = await killerHandler(t, SCENE);
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const place = ['--nats', nats.url];
    await accept(SCENE, await temporary(t), [...place, ...NO_SPOOL]);
    const data = () => temporary(t);
    const forebay = await supervise(t, { scene: SCENE, handler, data, place });
    judge(SCENE, await handler.lines(), await deadLetters(place));
    assert.equal(await forebay.stop(), 0);
  });

  it('becomes a dead letter, if two instances drain the stream', async (t) => {
    const handler = await killerHandler(t, SCENE);
    const nats = await NatsServer.start();
    t.after(() => nats.stop());
    const place = ['--nats', nats.url];
    await accept(SCENE, await temporary(t), [...place, ...NO_SPOOL]);
    const folders = [await temporary(t), await temporary(t)];
    const both = await Promise.all(
      folders.map((data) => supervise(t, { scene: SCENE, handler, data, place })),
    );
    judge(SCENE, await handler.lines(), await deadLetters(place));
    assert.deepEqual(await Promise.all(both.map((forebay) => forebay.stop())), [0, 0]);
  });
});
