/** Opens the journal of a data folder and holds it until it is killed. */
import { LocalStore } from '../../src/journal/store/local-store.js';

const store = new LocalStore(process.argv[2]!, { mustExist: true });
store.refresh();
store.meta.doesExist(Buffer.from('none'));
process.stdout.write('held\n');
setInterval(() => store.refresh(), 1000);
