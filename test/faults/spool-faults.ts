import { join } from 'node:path';
import { ACCEPTED_IS_KEPT, type Fault } from './fault.js';
import { fillAgain } from './fill-again.js';
import { CuttableDisk, mountLack, powerCutLack, SmallDisk } from './mounts.js';

/** The disk that fills up while the spool grows on it. */
const DISK_MIB = 96;

/** Harm that is done while nats-server is away and orders are kept in the spool. */
export const spoolFaults: readonly Fault[] = [
  {
    name: 'spool-kill',
    what: 'kill -9 of Forebay while it spools; it starts before nats-server does, or with it',
    promises: ACCEPTED_IS_KEPT,
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
    promises: ACCEPTED_IS_KEPT,
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
    what: 'the power of the machine of Forebay is cut while it spools',
    promises: ACCEPTED_IS_KEPT,
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
      disk.restore();
      await Promise.all([nats.start(), shop.start()]);
      await stage.pass(stage.share(0.3, 0.4));
      await stage.finish();
    },
  },
  {
    name: 'spool-disk-full',
    what: 'the disk under --data fills up nine times while nats-server is away; both come back',
    promises: ACCEPTED_IS_KEPT,
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
      await fillAgain(stage, disk);
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
