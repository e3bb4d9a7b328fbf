import { join } from 'node:path';
import { type Fault, NONE_LOST } from './fault.js';
import { CuttableDisk, mountLack, powerCutLack, SmallDisk } from './mounts.js';

/** The disk of the spool. */
const DISK_MIB = 96;

/** Faults while nats-server is down and orders go to the spool. */
export const spoolFaults: readonly Fault[] = [
  {
    name: 'spool-kill',
    what: 'kill -9 of Forebay while it spools; it restarts before nats-server or with it',
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const shop = await stage.shop(['--handler', stage.plainHandler(), '--nats', nats.url]);
      stage.load();
      await stage.pass(stage.share(0.1, 0.3));
      await nats.kill9();
      await stage.pass(stage.share(0.2, 0.3));
      await shop.kill9();
      if (stage.random.once(2)) {
        await shop.start();
        await stage.pass(stage.share(0.1, 0.3));
        await nats.start();
      } else {
        await Promise.all([nats.start(), shop.start()]);
      }
      await stage.pass(stage.share(0.3, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'spool-back-kill',
    what: 'kill -9 of Forebay while it forwards its spool to nats-server',
    isLongOnly: true,
    guarantees: NONE_LOST,
    async run(stage) {
      const nats = await stage.nats();
      const flags = ['--handler', stage.plainHandler(), '--nats', nats.url, '--spool-rate', '4000'];
      const shop = await stage.shop(flags);
      stage.load();
      await stage.pass(stage.share(0.1, 0.2));
      await nats.kill9();
      await stage.pass(stage.share(0.5, 0.6));
      await nats.start();
      await stage.pass(stage.random.below(1500));
      await shop.kill9();
      await shop.start();
      await stage.pass(stage.share(0.2, 0.3));
      await stage.finish();
    },
  },
  {
    name: 'spool-power-cut',
    what: 'power cut of Forebay while it spools',
    guarantees: NONE_LOST,
    lack: powerCutLack,
    async run(stage) {
      const disk = new CuttableDisk(stage, stage.folder);
      const nats = await stage.nats();
      const flags = ['--handler', stage.plainHandler(), '--nats', nats.url];
      const shop = await stage.shop(flags, { data: join(disk.path, 'data') });
      stage.load();
      await stage.pass(stage.share(0.1, 0.3));
      await nats.kill9();
      await stage.pass(stage.share(0.2, 0.3));
      disk.cut(() => shop.pause());
      await shop.kill9();
      await disk.restore();
      await Promise.all([nats.start(), shop.start()]);
      await stage.pass(stage.share(0.3, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'spool-disk-full',
    what: 'disk of --data filled nine times while nats-server is down; both recover',
    guarantees: NONE_LOST,
    lack: mountLack,
    async run(stage) {
      const disk = new SmallDisk(stage, stage.folder, DISK_MIB);
      const nats = await stage.nats();
      const flags = ['--handler', stage.plainHandler(), '--nats', nats.url];
      await stage.shop(flags, { data: join(disk.path, 'data') });
      stage.load();
      await stage.pass(stage.share(0.1, 0.2));
      await nats.kill9();
      await stage.pass(stage.share(0.1, 0.2));
      await disk.fillRepeatedly(stage);
      disk.fill();
      await stage.pass(stage.share(0.2, 0.3));
      const comeBack = [async () => disk.empty(), () => nats.start()];
      if (stage.random.once(2)) comeBack.reverse();
      for (const step of comeBack) {
        await step();
        await stage.pass(stage.share(0.1, 0.3));
      }
      await stage.finish();
      if (!stage.sent!.statuses.includes(503)) stage.problems.push('the disk was never full');
    },
  },
];
