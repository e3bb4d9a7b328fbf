import { workerData } from 'node:worker_threads';
import { LocalStore } from '../../src/journal/store/local-store.js';

/** What one thread writes to the tables, row by row, several at once. */
export interface RowsRequest {
  readonly folder: string;
  readonly thread: string;
  readonly rows: number;
  readonly rowBytes: number;
}

const UNDER_WAY = 8;

const { folder, thread, rows, rowBytes } = workerData as RowsRequest;
const store = new LocalStore(folder, { mustExist: true });
let next = 0;
const lane = async () => {
  while (next < rows) {
    const name = `${thread}-${next++}`;
    await store.write(() => {
      store.frames.put(Buffer.from(name), Buffer.alloc(rowBytes, name));
    });
  }
};
await Promise.all(Array.from({ length: UNDER_WAY }, lane));
await store.close();
