import { join } from 'node:path';
import { type Fault, LOSS_ALLOWED, NONE_LOST } from './fault.js';
import { CuttableDisk, powerCutLack } from './mounts.js';
import type { Stage } from './stage.js';

/** Cuts per run in the long form. */
const CUTS_LONG = 2;

function cutsOf(stage: Stage): number {
  return stage.isShort ? 1 : CUTS_LONG;
}

async function cutNatsPower(
  stage: Stage,
  syncInterval: { readonly syncInterval?: 'always' },
): Promise<void> {
  const disk = new CuttableDisk(stage, stage.folder);
  const nats = await stage.nats({ store: join(disk.path, 'store'), ...syncInterval });
  await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url, '--drain-rate', '1500']);
  stage.load();
  for (let cut = 0; cut < cutsOf(stage); cut++) {
    await stage.pass(stage.share(0.2, 0.5));
    disk.cut(() => nats.freeze());
    await nats.kill9();
    await disk.restore();
    await nats.start();
  }
  await stage.pass(stage.share(0.2, 0.4));
}

export const powerFaults: readonly Fault[] = [
  {
    name: 'power-cut-local',
    what: 'power cut of Forebay (XFS shutdown, kill -9); local journal',
    guarantees: NONE_LOST,
    lack: powerCutLack,
    async run(stage) {
      const disk = new CuttableDisk(stage, stage.folder);
      const flags = ['--handler', stage.plainHandler(), '--drain-rate', '1500'];
      const shop = await stage.shop(flags, { data: join(disk.path, 'data') });
      stage.load();
      for (let cut = 0; cut < cutsOf(stage); cut++) {
        await stage.pass(stage.share(0.2, 0.5));
        disk.cut(() => shop.pause());
        await shop.kill9();
        await disk.restore();
        await shop.start();
      }
      await stage.pass(stage.share(0.2, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'power-cut-nats-always',
    what: 'power cut of nats-server; sync_interval: always',
    guarantees: NONE_LOST,
    lack: powerCutLack,
    async run(stage) {
      await cutNatsPower(stage, { syncInterval: 'always' });
      await stage.finish();
    },
  },
  {
    name: 'power-cut-nats-default',
    what: 'the same with the default sync interval of NATS: losses are reported and allowed',
    guarantees: LOSS_ALLOWED,
    lack: powerCutLack,
    async run(stage) {
      await cutNatsPower(stage, {});
      await stage.finish({ isLossExpected: true });
    },
  },
];
