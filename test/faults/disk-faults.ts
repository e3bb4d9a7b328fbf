import { join } from 'node:path';
import { ACCEPTED_IS_KEPT, type Fault, NOBODY_NOTICES } from './fault.js';
import { fillAgain } from './fill-again.js';
import { mountLack, SmallDisk } from './mounts.js';

/** Twice what the local journal keeps free for settling. */
const DISK_MIB = 96;

export const diskFaults: readonly Fault[] = [
  {
    name: 'disk-full-data',
    what: 'the disk under --data fills up, and has room again, nine times; local journal',
    promises: ACCEPTED_IS_KEPT,
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
      await fillAgain(stage, disk);
      await stage.finish();
      if (!stage.sent!.statuses.includes(503)) stage.problems.push('the disk was never full');
    },
  },
  {
    name: 'disk-full-nats',
    what: "the disk under nats-server's store fills up; it has room again and nats-server starts anew",
    promises: NOBODY_NOTICES,
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
      // A nats-server that met a full disk turns JetStream off until it is started again.
      await nats.kill9();
      await nats.start();
      await stage.pass(stage.share(0.3, 0.5));
      await stage.finish();
    },
  },
];
