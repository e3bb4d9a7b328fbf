import { type Fault, ONLY_200 } from './fault.js';
import type { Stage } from './stage.js';

/** How long the server is frozen, and runs in between. */
const STROKE_MS_MAX = 1500;
const FREEZES = 3;

/**
 * Freezes the server for longer than a commit may take, so that acks are given up; continues it, so that the frames are
 * stored and processed after all; then kills it, so that it forgets the ids of consumed messages.
 */
async function freezeAndKill(stage: Stage, shops: number): Promise<void> {
  const nats = await stage.nats();
  const handler = stage.plainHandler();
  for (let i = 0; i < shops; i++) await stage.shop(['--handler', handler, '--nats', nats.url]);
  stage.load();
  for (let i = 0; i < FREEZES; i++) {
    await stage.pass(stage.between(500, 1500));
    nats.freeze();
    await stage.pass(stage.between(1100, 2500));
    nats.thaw();
    await stage.pass(stage.random.below(300));
    await nats.kill9();
    await stage.pass(stage.random.below(1000));
    await nats.start();
  }
  await stage.pass(stage.share(0.2, 0.4));
  await stage.finish();
}

export const natsFaults: readonly Fault[] = [
  {
    name: 'nats-freeze',
    what: 'SIGSTOP of nats-server for 20 s (short: 8 s)',
    guarantees: ONLY_200,
    async run(stage) {
      const nats = await stage.nats();
      await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.2, 0.5));
      nats.freeze();
      await stage.pass(stage.isShort ? 8000 : 20_000);
      nats.thaw();
      await stage.pass(stage.share(0.3, 0.5));
      await stage.finish();
    },
  },
  {
    name: 'nats-away',
    what: 'nats-server killed and down for 60 s (short: 10 s)',
    guarantees: ONLY_200,
    async run(stage) {
      const nats = await stage.nats();
      await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.2, 0.5));
      await nats.kill9();
      await stage.pass(stage.isShort ? 10_000 : 60_000);
      await nats.start();
      await stage.pass(stage.share(0.3, 0.5));
      await stage.finish();
    },
  },
  {
    name: 'nats-stutter',
    what: 'nats-server frozen again and again for a short time: acks are late or missing',
    guarantees: ONLY_200,
    async run(stage) {
      const nats = await stage.nats();
      await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url]);
      stage.load();
      const strokes = Math.ceil(stage.durationMs / STROKE_MS_MAX);
      for (let i = 0; i < strokes; i++) {
        await stage.pass(stage.between(50, STROKE_MS_MAX / 2));
        nats.freeze();
        await stage.pass(stage.between(50, STROKE_MS_MAX));
        nats.thaw();
      }
      await stage.pass(stage.share(0.1, 0.2));
      await stage.finish();
    },
  },
  {
    name: 'nats-freeze-kill',
    what: 'nats-server frozen, continued, killed and restarted, three times: it forgets consumed messages',
    isLongOnly: true,
    guarantees: ONLY_200,
    run: (stage) => freezeAndKill(stage, 1),
  },
  {
    name: 'nats-freeze-kill-two',
    what: 'the same with two Forebays: neither processes what the other has processed',
    guarantees: ONLY_200,
    run: (stage) => freezeAndKill(stage, 2),
  },
];
