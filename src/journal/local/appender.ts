import type { Frame } from '../../model/frame.js';
import { type Appender, CommitAmbiguous, CommitRefused } from '../../model/journal.js';
import { encodeRecord, recordHeader } from '../frame/record.js';
import { freshKey } from '../store/frame-rows.js';
import { recordKeys } from '../store/idempotency-rows.js';
import type { LocalStore } from '../store/local-store.js';
import type { FrameLog } from './frame-log.js';

/** How long commits are refused without a try after one has failed, to spare a failing disk. */
const COOLDOWN_MS = 1000;

/** `EIO`: a write or a flush failed in the device, so what a restart will find there is unknown. */
const INPUT_OUTPUT_ERROR = 5;

/** Appends to the local journal: one per intake thread, each with its own handle of the same store. */
export class LocalAppender implements Appender {
  readonly name = 'local';
  readonly #store: LocalStore;
  readonly #log: FrameLog | null;
  readonly #underWay = new Set<Promise<void>>();
  #cooldownUntilMs = 0;
  #fault = '';
  #closed = false;

  /**
   * @param log takes the frames; null to write to the tables
   */
  constructor(store: LocalStore, log: FrameLog | null = null) {
    this.#store = store;
    this.#log = log;
  }

  get writable(): boolean {
    return !this.#closed && !this.#isCoolingDown() && this.#store.shortage === '';
  }

  get reason(): string {
    if (this.#closed) return 'the local journal is closed';
    return this.#isCoolingDown()
      ? `data folder ${this.#store.folder}: ${this.#fault}`
      : this.#store.shortage;
  }

  async commit(frame: Frame): Promise<null> {
    if (!this.writable) throw new CommitRefused(this.reason);
    const write = this.#write(frame);
    this.#underWay.add(write);
    try {
      await write;
      this.#cooldownUntilMs = 0;
      return null;
    } catch (error) {
      throw this.#failed(error as Error & { code?: number });
    } finally {
      this.#underWay.delete(write);
    }
  }

  /** To the log when it has space, else into the tables. */
  #write(frame: Frame): Promise<void> {
    const key = freshKey(frame);
    const logged = this.#log === null ? null : this.#append(this.#log, key, frame);
    if (logged !== null) {
      return logged.catch((error: Error) => {
        // The record may be complete all the same; then it is found by a start.
        throw new CommitAmbiguous(error.message);
      });
    }
    const value = encodeRecord(frame, key);
    return this.#store.write(() => {
      this.#store.frames.put(key, value);
      recordKeys(this.#store, frame);
    });
  }

  #append(log: FrameLog, key: Buffer, frame: Frame): Promise<void> | null {
    const { payload, keys } = frame;
    return log.append({ key, header: recordHeader(frame), payload, isKeyed: keys.length > 0 });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#log?.close();
    await this.#store.close();
  }

  #isCoolingDown(): boolean {
    return this.#cooldownUntilMs !== 0 && performance.now() < this.#cooldownUntilMs;
  }

  #failed(error: Error & { code?: number }): Error {
    this.#fault = error.message;
    this.#cooldownUntilMs = performance.now() + COOLDOWN_MS;
    if (error instanceof CommitAmbiguous) return error;
    return error.code === INPUT_OUTPUT_ERROR
      ? new CommitAmbiguous(this.#fault)
      : new CommitRefused(this.#fault);
  }
}
