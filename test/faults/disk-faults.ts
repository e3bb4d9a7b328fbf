import { join } from 'node:path';
import { type Fault, NONE_LOST, ONLY_200 } from './fault.js';
import { mountLack, SmallDisk } from './mounts.js';

/** A few times the free space that the local journal keeps. */
const DISK_MIB = 96;

export const diskFaults: readonly Fault[] = [
  {
    name: 'disk-full-data',
    what: 'disk of --data filled and emptied nine times; local journal',
    guarantees: NONE_LOST,
    lack: mountLack,
    async run(stage) {
      const disk = new SmallDisk(stage, stage.folder, DISK_MIB);
      const flags = ['--handler', stage.plainHandler({ batchMs: 5 })];
      const shop = await stage.shop(flags, { data: join(disk.path, 'data') });
      stage.load();
      await stage.pass(stage.share(0.2, 0.4));
      disk.fill();
      await stage.pass(stage.share(0.2, 0.4));
      const isKilled = stage.random.once(2);
      if (isKilled) await shop.kill9();
      disk.empty();
      if (isKilled) await shop.start();
      await stage.pass(stage.share(0.2, 0.4));
      await disk.fillRepeatedly(stage);
      await stage.finish();
      if (!stage.sent!.statuses.includes(503)) stage.problems.push('the disk was never full');
    },
  },
  {
    name: 'disk-full-nats',
    what: 'disk of nats-server filled and emptied; nats-server restarted',
    guarantees: ONLY_200,
    lack: mountLack,
    async run(stage) {
      const disk = new SmallDisk(stage, stage.folder, DISK_MIB);
      const nats = await stage.nats({ store: join(disk.path, 'store') });
      await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.2, 0.4));
      disk.fill();
      await stage.pass(stage.share(0.4, 0.6));
      disk.empty();
      // After a full disk nats-server disables JetStream until it is restarted.
      await nats.kill9();
      await nats.start();
      await stage.pass(stage.share(0.3, 0.5));
      await stage.finish();
    },
  },
];
