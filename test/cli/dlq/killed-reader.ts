// Opens a local journal, reads, and kills itself while it reads.
import { LocalStore } from '../../../src/journal/store/local-store.js';

const store = new LocalStore(process.argv[2]!, { mustExist: true });
store.dead.getBinary(Buffer.from('k'));
process.kill(process.pid, 'SIGKILL');
