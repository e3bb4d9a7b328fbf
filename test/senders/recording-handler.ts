import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order } from '../../src/model/order.js';

/**
 * A handler that writes down the orders that it gets. Until `heals`, it fails those whose user is `dead`, and does not
 * return for those whose user is `waits`.
 */
export class RecordingHandler {
  readonly folder = mkdtempSync(join(tmpdir(), 'senders-handler-'));
  readonly file = join(this.folder, 'handler.mjs');
  readonly #seen = join(this.folder, 'seen');

  constructor() {
    writeFileSync(this.#seen, '');
    writeFileSync(
      this.file,
      `import { appendFileSync, existsSync } from 'node:fs';
const isWell = () => existsSync(${JSON.stringify(join(this.folder, 'well'))});
export default async (orders) => {
  const outcomes = [];
  for (const order of orders) {
    appendFileSync(${JSON.stringify(this.#seen)}, JSON.stringify(order) + '\\n');
    while (order.data.username === 'waits' && !isWell()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    outcomes.push(order.data.username === 'dead' && !isWell() ? 'dead' : 'done');
  }
  return outcomes;
};\n`,
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
