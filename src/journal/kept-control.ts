import { hostname } from 'node:os';
import {
  type Allowance,
  changed,
  type DrainChange,
  type DrainControl,
  type DrainInstance,
  type DrainSetting,
  NO_DEADLINE,
  settingAtStart,
} from '../model/drain-control.js';
import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';
import type { SourceHandle } from './source-handle.js';

/** Keeps a setting; resolves when it is durable. */
export type KeepSetting = (setting: DrainSetting) => Promise<void>;

/** The drain control of a journal that only this process drains: all slots are its own. */
export class KeptControl implements DrainControl, Allowance {
  readonly validUntil = NO_DEADLINE;
  readonly #keep: KeepSetting;
  readonly #onSetting: ((now: DrainSetting, before: DrainSetting) => void)[] = [];
  #setting: DrainSetting;
  #changing: Promise<unknown> = Promise.resolve();

  /** @param keep by default, the setting lives as long as the process */
  constructor(setting: DrainSetting, keep: KeepSetting = async () => {}) {
    this.#setting = setting;
    this.#keep = keep;
  }

  get setting(): DrainSetting {
    return this.#setting;
  }

  get slots(): number {
    const { rate, pause } = this.#setting;
    if (pause !== null) return 0;
    return rate === 0 ? Number.POSITIVE_INFINITY : rate;
  }

  /** One after the other: the second must not undo what the first has changed. */
  change(change: DrainChange): Promise<DrainSetting> {
    const next = this.#changing.then(() => this.#change(change));
    this.#changing = next.catch(() => {});
    return next;
  }

  onChange(listener: (now: DrainSetting, before: DrainSetting) => void): void;
  onChange(listener: () => void): void;
  onChange(listener: (now: DrainSetting, before: DrainSetting) => void): void {
    this.#onSetting.push(listener);
  }

  want(): void {}

  follow(): void {}

  instances(): readonly DrainInstance[] {
    const { pid } = process;
    const id = `${hostname()}-${pid}`;
    const seenAtMs = Date.now();
    return [{ id, host: hostname(), pid, share: this.slots, isSelf: true, seenAtMs }];
  }

  async #change(change: DrainChange): Promise<DrainSetting> {
    const before = this.#setting;
    const now = changed(before, change, Date.now());
    if (now === before) return before;
    await this.#keep(now);
    this.#setting = now;
    for (const listener of this.#onSetting) listener(now, before);
    return now;
  }
}

/** A control that lives as long as the process. */
export function memoryControl(
  options: Options,
  log: Log,
): Pick<SourceHandle, 'control' | 'allowance'> {
  const control = new KeptControl(settingAtStart(options, null, log));
  return { control, allowance: control };
}
