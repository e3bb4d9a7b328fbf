import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../model/log.js';
import type { GroupedWrites } from './grouped-writes.js';

/** Between two tries to write a settlement, say while the disk is full; doubles from one to the other. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

/** Writes that are tried until they are durable. */
export class PatientWrites {
  readonly #writes: GroupedWrites;
  readonly #place: string;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  #fault = '';

  /**
   * @param place what the operator is told that the fault is in
   * @param signal aborted, nothing is tried again
   */
  constructor(writes: GroupedWrites, place: string, signal: AbortSignal, log: Log) {
    this.#writes = writes;
    this.#place = place;
    this.#signal = signal;
    this.#log = log;
  }

  /** Why the last try failed; empty when it did not. */
  get fault(): string {
    return this.#fault;
  }

  /** Ends the delivery of a frame; `bytes` as for `GroupedWrites`. False when it was given up first: the frame stays and is delivered after the next start. */
  async settle(id: string, write: () => void, bytes = 0): Promise<boolean> {
    for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        await this.#writes.write(write, bytes);
        this.#fault = '';
        return true;
      } catch (error) {
        const fault = `${this.#place}: ${(error as Error).message}`;
        if (this.#fault === '') {
          this.#log('settle-waits', `cannot settle frame ${id}, trying on: ${fault}`);
        }
        this.#fault = fault;
        if (this.#signal.aborted) return false;
        await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => {});
      }
    }
  }
}
