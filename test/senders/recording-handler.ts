import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order } from '../../src/model/order.js';

/** A handler that writes down the orders that it gets. It fails those whose user is `dead`, until `heals`. */
export class RecordingHandler {
  readonly folder = mkdtempSync(join(tmpdir(), 'senders-handler-'));
  readonly file = join(this.folder, 'handler.mjs');
  readonly #seen = join(this.folder, 'seen');

  constructor() {
    writeFileSync(this.#seen, '');
    writeFileSync(
      this.file,
      `import { appendFileSync, existsSync } from 'node:fs';
export default (orders) => orders.map((order) => {
  appendFileSync(${JSON.stringify(this.#seen)}, JSON.stringify(order) + '\\n');
  const isWell = existsSync(${JSON.stringify(join(this.folder, 'well'))});
  return order.data.username === 'dead' && !isWell ? 'dead' : 'done';
});\n`,
    );
  }

  heals(): void {
    writeFileSync(join(this.folder, 'well'), '');
  }

  get orders(): Order[] {
    const lines = readFileSync(this.#seen, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Order);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
