import { parentPort, workerData } from 'node:worker_threads';
import { FrameIds } from '../../src/commit/frame-id.js';
import { KeyTable, RESERVATION } from '../../src/memory/key-table.js';

/** Input of a hammer thread. */
export interface KeyHammerTask {
  readonly memory: SharedArrayBuffer;
  readonly keys: number;
}

export interface KeyHammerResult {
  /** The keys that this thread made durable. */
  readonly won: readonly number[];
  /** For each key, the place that the replay returned. */
  readonly replays: readonly string[];
}

const NOW_NS = 1;

export function hammerWords(key: number): Int32Array {
  return Int32Array.of(key * 0x9e3779b1, key * 0x85ebca6b, key, 1, 7, 7);
}

/** Reserves each key until it is replayed. Every third commit is refused. */
function hammer({ memory, keys }: KeyHammerTask): KeyHammerResult {
  const table = new KeyTable(memory);
  const ids = new FrameIds();
  const won: number[] = [];
  const replays: string[] = [];
  let tries = 0;
  for (let key = 0; key < keys; key++) {
    const words = hammerWords(key);
    for (;;) {
      const found = table.reserve(words, NOW_NS);
      if (found === RESERVATION.replay) break;
      if (found !== RESERVATION.acquired) continue;
      const frameId = ids.next(key);
      table.setPlace(words, frameId, key % 10_000);
      if (++tries % 3 === 0) {
        table.release(words, frameId, key % 10_000);
      } else {
        table.confirm(words, frameId, key % 10_000, NOW_NS);
        won.push(key);
      }
    }
    replays.push(`${table.foundFrameId}-${table.foundPosition}`);
  }
  return { won, replays };
}

parentPort?.postMessage(hammer(workerData as KeyHammerTask));
