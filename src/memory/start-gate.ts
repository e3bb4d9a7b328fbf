import type { StartDeadline } from '../model/drain-control.js';

const UNTIL_NS = 0;
const UNTIL_MS = 1;
const EPOCH = 2;
const CELLS = 3;
const NEVER = 2n ** 63n - 1n;

/**
 * Whether calls of the handler may still start: the thread that runs a call asks directly before it. So a call does not
 * start if the process was frozen on the way, or if the permission was taken back meanwhile.
 *
 * A permission is good until a deadline, and as long as its epoch lasts. The drain thread is the only writer.
 */
export class StartGate {
  /** For the other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(memory = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new BigInt64Array(memory);
  }

  /** The epoch of permissions that are given now. */
  get epoch(): number {
    return Number(Atomics.load(this.#cells, EPOCH));
  }

  /** Calls may start until `deadline`. A reader may see one clock's part before the other: each is right by itself. */
  extend({ monotonicNs, epochMs }: StartDeadline): void {
    Atomics.store(this.#cells, UNTIL_NS, whole(monotonicNs));
    Atomics.store(this.#cells, UNTIL_MS, whole(epochMs));
  }

  /** Takes back all permissions of this epoch: calls that ask later than this do not start. */
  revoke(): void {
    Atomics.add(this.#cells, EPOCH, 1n);
  }

  /** Whether a call with a permission of `epoch` may start at this moment. */
  admits(epoch: number, monotonicNs: number, epochMs: number): boolean {
    return (
      this.epoch === epoch &&
      monotonicNs < Atomics.load(this.#cells, UNTIL_NS) &&
      epochMs < Atomics.load(this.#cells, UNTIL_MS)
    );
  }
}

function whole(value: number): bigint {
  return value === Number.POSITIVE_INFINITY ? NEVER : BigInt(Math.floor(value));
}
