/** Opens a journal, uses up all file descriptors of its process, and prints what the journal says about the disk. */
import { openSync } from 'node:fs';
import { LocalStore } from '../../src/journal/store/local-store.js';

const store = new LocalStore(process.argv[2]!);
let fault = '';
while (fault === '') {
  try {
    openSync('/dev/null', 'r');
  } catch (error) {
    fault = (error as NodeJS.ErrnoException).code!;
  }
}
// Longer than a check of the disk is valid.
await new Promise((resolve) => setTimeout(resolve, 50));
const { shortage } = store;
await store.write(() => store.meta.put(Buffer.from('written'), Buffer.from('yes')));
process.stdout.write(JSON.stringify({ fault, shortage }), () => process.exit(0));
