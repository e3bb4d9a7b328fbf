/** Opens a journal as `serve` does, in a process of its own: see sound-file.ts. Changes nothing but the lock file. */
import { open } from 'lmdb';

const root = open({ path: process.argv[2]!, readOnly: true, overlappingSync: false });
await root.close();
