import { createWindowMemory } from '../memory/window-ring.js';
import { KEY_LABELS_MAX } from '../metrics/count.js';
import type { KeysData, SenderData } from '../model/senders.js';
import { type KeyLine, OTHER_NAMES } from './key-file.js';

/** The window of a key's limit. */
export const KEY_WINDOW_MS = 1000;

interface Limit {
  readonly rps: number;
  /** Null without a limit. */
  readonly window: SharedArrayBuffer | null;
}

/** What the threads get when the file has changed. */
export interface KeysChange {
  readonly now: KeysData;
  /** To be given once all threads have used `now` for a whole window; null if `now` stays. */
  readonly afterWindow: KeysData | null;
}

/**
 * The memory behind the keys: the window and the label of each name, kept over changes of the file.
 *
 * A changed limit has a window of its own, because the memory of a window has the size of its limit. Until each thread has
 * used the new window for its whole length, a request must be admitted by both. So any second is either within the time in
 * which all admissions passed the old window, or within the time in which all passed the new one: no second ever has more
 * than the larger of the two limits.
 */
export class KeyLimits {
  #limits = new Map<string, Limit>();
  /** Names by label. A name keeps its label, also when it leaves the file: counters must not go back. */
  readonly #labels: string[] = [OTHER_NAMES];

  /** The names for the metrics, by label. */
  get labels(): readonly string[] {
    return this.#labels;
  }

  change(lines: readonly KeyLine[]): KeysChange {
    const before = this.#limits;
    const limits = new Map<string, Limit>();
    for (const { name, rps } of lines) {
      if (limits.has(name)) continue;
      const known = before.get(name);
      limits.set(name, known?.rps === rps ? known : { rps, window: windowOf(rps) });
    }
    this.#limits = limits;
    const afterWindow = this.#data(lines, new Map());
    const isChanged = [...limits].some(([name, { rps }]) => {
      return before.has(name) && before.get(name)!.rps !== rps;
    });
    if (!isChanged) return { now: afterWindow, afterWindow: null };
    return { now: this.#data(lines, before), afterWindow };
  }

  #data(lines: readonly KeyLine[], before: ReadonlyMap<string, Limit>): KeysData {
    const names = [...this.#limits.keys()];
    const senders = names.map((name): SenderData => {
      const { rps, window } = this.#limits.get(name)!;
      const both = new Set([before.get(name)?.window ?? null, window]);
      const windows = [...both].filter((one) => one !== null);
      return { name, label: this.#labelOf(name), rps, windows };
    });
    const index = new Map(names.map((name, i) => [name, i]));
    const keys = lines.map(({ name, sha256 }) => ({ sha256, sender: index.get(name)! }));
    return { senders, keys };
  }

  #labelOf(name: string): number {
    const known = this.#labels.indexOf(name);
    if (known > 0) return known;
    if (this.#labels.length > KEY_LABELS_MAX) return 0;
    return this.#labels.push(name) - 1;
  }
}

function windowOf(rps: number): SharedArrayBuffer | null {
  return rps === 0 ? null : createWindowMemory(rps, KEY_WINDOW_MS);
}
