import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Allowance,
  type AllowanceUse,
  changed,
  type DrainChange,
  type DrainControl,
  type DrainInstance,
  type DrainSetting,
  type StartDeadline,
} from '../../model/drain-control.js';
import type { Log } from '../../model/log.js';
import type { LedgerPeers } from '../ledger/peers.js';
import type { JetStreamConnection } from '../nats/connection.js';
import type { PublishOutcome } from '../nats/publisher.js';
import { LOST, type Register, UNLIMITED_SLOTS } from './register.js';
import { RegisterKeeper } from './register-keeper.js';
import type { RegisterStream } from './register-stream.js';
import { ShareNeed } from './share-need.js';
import { withoutProcess, withSetting } from './share-plan.js';
import { type LeaseTiming, nextRegister, shareOf } from './share-state.js';

/** How often the register is read: a change is in force on all instances within this time and one answer. */
const READ_MS = 250;

/** How long an instance may go on without an answer. */
const VALID_MS = 3000;

/** A second, and 1% for the rounding of clocks and the way from a stamp to the handler's first line. */
const WINDOW_MS = 1010;

/** Clocks of machines differ by far less than 1% in speed; a thread may be late by some milliseconds. */
const DRIFT_MS = 500;

/** With replicas, a leader that is cut off can answer reads until it steps down: two checks of 10 s (server/raft.go). */
const OLD_LEADER_MS = 20_000;

/** A process that is not heard for this long is called dead. If it is alive, it says so. */
const SILENT_MS_MAX = 2500;

const TIMING: LeaseTiming = {
  validMs: VALID_MS,
  windowMs: WINDOW_MS,
  takeMs: VALID_MS + WINDOW_MS + DRIFT_MS,
  // Those who still had a share in a lost register have read that it is gone.
  goneMs: WINDOW_MS + 2 * READ_MS,
  turnMs: 20_000,
};

/** Writes in a row, and the time for each in the long run: needs that come and go must not load NATS. */
const WRITES_MAX = 6;
const WRITE_MS = 500;

const CHANGE_TRIES_MAX = 20;
const CHANGE_MS_MAX = 4000;
const RETRY_MS = 20;
const CLOSE_MS_MAX = 500;

export interface SharedControlParts {
  /** Of this process in the ledger. */
  readonly id: string;
  readonly connection: Pick<JetStreamConnection, 'up' | 'reason' | 'whenUp'>;
  readonly stream: Pick<RegisterStream, 'read' | 'write'>;
  readonly peers: Pick<LedgerPeers, 'silentMs'>;
  /** Whether this process processes orders; another one needs no share. */
  readonly drains: boolean;
  readonly replicas: number;
  /** The setting if nothing is kept. */
  readonly first: DrainSetting;
  /** Called with what is kept, when it is first known. */
  readonly onKept: (kept: DrainSetting) => void;
  readonly log: Log;
}

/** The drain control of a journal that several processes drain: each has a share of the rate. */
export class SharedControl implements DrainControl {
  readonly allowance: Allowance;
  readonly #parts: SharedControlParts;
  readonly #keeper: RegisterKeeper;
  readonly #timing: LeaseTiming;
  readonly #need = new ShareNeed();
  readonly #onSetting: ((now: DrainSetting, before: DrainSetting) => void)[] = [];
  readonly #onAllowance: (() => void)[] = [];
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #setting: DrainSetting;
  #isKept = false;
  #use: AllowanceUse = { inUse: 0 };
  #wanted = 0;
  /** Until then, orders that were started without a limit may be within a window. */
  #unlimitedUntilMs = Number.NEGATIVE_INFINITY;
  /** Requests are made one after the other. */
  #busy: Promise<unknown> = Promise.resolve();
  #writes = WRITES_MAX;
  #writesAtMs = 0;
  #wake: () => void = () => {};
  #refusal = '';

  constructor(parts: SharedControlParts) {
    this.#parts = parts;
    this.#timing =
      parts.replicas === 1 ? TIMING : { ...TIMING, takeMs: TIMING.takeMs + OLD_LEADER_MS };
    this.#keeper = new RegisterKeeper(parts.id, parts.stream, this.#timing);
    this.#setting = parts.first;
    this.allowance = this.#makeAllowance();
    this.#running = this.#run();
  }

  get setting(): DrainSetting {
    return this.#setting;
  }

  /** Why this process may start nothing although nobody has paused it, in one line; empty when it may. */
  get reason(): string {
    if (!this.#parts.connection.up || this.#refusal === '' || this.allowance.slots > 0) return '';
    return this.#refusal;
  }

  onChange(listener: (now: DrainSetting, before: DrainSetting) => void): void {
    this.#onSetting.push(listener);
  }

  change(change: DrainChange): Promise<DrainSetting> {
    return this.#inTurn(() => this.#change(change));
  }

  instances(): readonly DrainInstance[] {
    const { id: self, peers } = this.#parts;
    const shares = this.#keeper.register?.shares ?? new Map();
    const found: DrainInstance[] = [];
    for (const [id, { host, pid, cap, isGone }] of shares) {
      if (isGone || id === LOST) continue;
      const isSelf = id === self;
      const silentMs = isSelf ? 0 : Math.max(0, peers.silentMs(id));
      const share = cap >= UNLIMITED_SLOTS ? Number.POSITIVE_INFINITY : cap;
      found.push({ id, host, pid, share, isSelf, seenAtMs: Date.now() - silentMs });
    }
    if (found.some(({ isSelf }) => isSelf)) return found;
    const seenAtMs = Date.now();
    const own = { id: self, host: hostname(), pid: process.pid, share: 0, isSelf: true, seenAtMs };
    return [own, ...found];
  }

  /** To be called when nothing starts any more. Others may take the share then. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
    const left = this.#inTurn(async () => {
      const { register } = this.#keeper;
      const next = register === null ? null : withoutProcess(register, this.#parts.id);
      if (next !== null && this.#parts.connection.up) await this.#keeper.write(next);
    });
    await Promise.race([left.catch(() => {}), sleep(CLOSE_MS_MAX, undefined, { ref: false })]);
  }

  #makeAllowance(): Allowance {
    const control = this;
    return {
      get slots(): number {
        return control.#slots();
      },
      get validUntil(): StartDeadline {
        return control.#keeper.validUntil();
      },
      want: (slots) => this.#want(slots),
      follow: (use) => {
        this.#use = use;
      },
      onChange: (listener) => void this.#onAllowance.push(listener),
    };
  }

  #slots(): number {
    if (this.#setting.pause !== null) return 0;
    const slots = this.#keeper.slots();
    return slots >= UNLIMITED_SLOTS ? Number.POSITIVE_INFINITY : slots;
  }

  #want(slots: number): void {
    const isLess = slots <= this.#wanted;
    this.#wanted = slots;
    if (!isLess && slots > shareOf(this.#keeper.state)) this.#wake();
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(step);
    this.#busy = done.catch(() => {});
    return done;
  }

  async #run(): Promise<void> {
    const { connection } = this.#parts;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (connection.up) {
        await this.#inTurn(() => this.#round()).catch(() => {});
        await this.#pause(READ_MS);
      } else await connection.whenUp(READ_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Reads the register, and writes what follows for this process. */
  async #round(): Promise<void> {
    await this.#read();
    if (!this.#parts.drains) return;
    while (this.#mayWrite() && !this.#closing.signal.aborted) {
      const next = this.#next();
      if (next === null) return;
      const { verdict } = await this.#write(next);
      if (verdict === 'refused') return;
      if (verdict === 'stored') continue;
      await sleep(Math.random() * RETRY_MS);
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    const { connection, first } = this.#parts;
    const before = this.#keeper.validUntil();
    if (!connection.up) throw new Error(connection.reason);
    await this.#keeper.read();
    if (this.#keeper.register === null) this.#noteRefusal(await this.#keeper.create(first));
    // Another process was first.
    if (this.#keeper.register === null) await this.#keeper.read();
    this.#learned(this.#keeper.validUntil().monotonicNs !== before.monotonicNs);
  }

  #next(): Register | null {
    const { peers } = this.#parts;
    const { nowMs, state } = this.#keeper;
    const inUse = nowMs < this.#unlimitedUntilMs ? Number.POSITIVE_INFINITY : this.#use.inUse;
    if (this.#wanted > shareOf(state)) this.#need.short(nowMs);
    this.#need.used(this.#use.inUse, nowMs);
    const facts = {
      host: hostname(),
      pid: process.pid,
      need: this.#need.slots(this.#setting.rate, nowMs),
      inUse,
      isHeard: (id: string) => peers.silentMs(id) < SILENT_MS_MAX,
    };
    return nextRegister(state, facts, this.#timing, nowMs);
  }

  /** A token bucket. */
  #mayWrite(): boolean {
    const { nowMs } = this.#keeper;
    this.#writes = Math.min(WRITES_MAX, this.#writes + (nowMs - this.#writesAtMs) / WRITE_MS);
    this.#writesAtMs = nowMs;
    return this.#writes >= 1;
  }

  async #write(next: Register): Promise<PublishOutcome> {
    this.#writes--;
    const outcome = await this.#keeper.write(next);
    this.#noteRefusal(outcome);
    this.#learned(true);
    return outcome;
  }

  #noteRefusal(outcome: PublishOutcome): void {
    if (outcome.verdict === 'stored') this.#refusal = '';
    if (outcome.verdict !== 'refused') return;
    this.#refusal = `NATS refuses to store the shares of the drain rate: ${outcome.reason}`;
    this.#parts.log('drain-shares-refused', `${this.#refusal}; until then they stay as they are`);
  }

  #learned(isAllowanceChanged: boolean): void {
    const isSet = this.#takeSetting();
    if (isAllowanceChanged || isSet) for (const listener of this.#onAllowance) listener();
  }

  /** Whether it has changed. */
  #takeSetting(): boolean {
    const { register, nowMs } = this.#keeper;
    if (register === null) return false;
    const before = this.#setting;
    const now = register.setting;
    if (before.rate === 0 && now.rate > 0) this.#unlimitedUntilMs = nowMs + WINDOW_MS;
    this.#setting = now;
    const isFirst = !this.#isKept;
    this.#isKept = true;
    if (isFirst) this.#parts.onKept(now);
    if (isFirst || (now.atMs === before.atMs && now.by === before.by)) return isFirst;
    for (const listener of this.#onSetting) listener(now, before);
    return true;
  }

  async #change(change: DrainChange): Promise<DrainSetting> {
    // A change that is not valid is refused also while NATS is away.
    changed(this.#setting, change, Date.now());
    const endMs = this.#keeper.nowMs + CHANGE_MS_MAX;
    let reason = '';
    for (let tries = 0; tries < CHANGE_TRIES_MAX && this.#keeper.nowMs < endMs; tries++) {
      await this.#read();
      const { register } = this.#keeper;
      if (register === null) break;
      const setting = changed(register.setting, change, Date.now());
      if (setting === register.setting) return setting;
      const outcome = await this.#write(withSetting(register, setting));
      if (outcome.verdict === 'stored') return this.#setting;
      reason = outcome.reason;
      if (outcome.verdict === 'refused') break;
      await sleep(Math.random() * RETRY_MS);
    }
    throw new Error(`the drain setting cannot be kept: ${reason || this.#refusal}`);
  }
}
