/** Uses the journal of a data folder as a command does, for so many milliseconds or until it is killed. */
import { LocalStore } from '../../src/journal/store/local-store.js';
import { claimPid } from '../../src/process/pid-lock.js';

const [folder, ms] = process.argv.slice(2);
const release = await claimPid(folder!);
const store = new LocalStore(folder!, { mustExist: true });
store.meta.doesExist(Buffer.from('none'));
process.stdout.write('held\n');
const busy = setInterval(() => store.meta.doesExist(Buffer.from('none')), 50);
if (ms !== undefined) {
  setTimeout(async () => {
    clearInterval(busy);
    await store.close();
    await release();
  }, Number(ms));
}
