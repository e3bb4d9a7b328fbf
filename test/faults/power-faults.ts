import { join } from 'node:path';
import { ACCEPTED_IS_KEPT, type Fault, LOSS_IS_TOLD } from './fault.js';
import { CuttableDisk, powerCutLack } from './mounts.js';
import type { Stage } from './stage.js';

/** Two in each of ten runs make the twenty of the long form. */
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
    disk.restore();
    await nats.start();
  }
  await stage.pass(stage.share(0.2, 0.4));
}

export const powerFaults: readonly Fault[] = [
  {
    name: 'power-cut-local',
    what: 'the power of the machine with the local journal is cut (XFS shutdown, kill -9)',
    promises: ACCEPTED_IS_KEPT,
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
        disk.restore();
        await shop.start();
      }
      await stage.pass(stage.share(0.2, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'power-cut-nats-always',
    what: "the power of nats-server's machine is cut; sync_interval: always",
    promises: ACCEPTED_IS_KEPT,
    lack: powerCutLack,
    async run(stage) {
      await cutNatsPower(stage, { syncInterval: 'always' });
      await stage.finish();
    },
  },
  {
    name: 'power-cut-nats-default',
    what: 'the same with the default sync interval of NATS: what is lost is told, no failure',
    promises: LOSS_IS_TOLD,
    lack: powerCutLack,
    async run(stage) {
      await cutNatsPower(stage, {});
      await stage.finish({ isLossExpected: true });
    },
  },
];
