import { randomBytes } from 'node:crypto';
import type { DrainSetting, StartDeadline } from '../../model/drain-control.js';
import type { PublishOutcome } from '../nats/publisher.js';
import { firstRegister, type Register } from './register.js';
import type { RegisterStream } from './register-stream.js';
import {
  afterRead,
  isUsable,
  type LeaseTiming,
  noShare,
  type ShareState,
  shareOf,
} from './share-state.js';

const EPOCH_BYTES = 6;
const NS_PER_MS = 1e6;

interface Moment {
  readonly tickMs: number;
  readonly epochMs: number;
}

/** The same clock as that of the pool threads. */
function now(): Moment {
  const [seconds, nanoseconds] = process.hrtime();
  return { tickMs: seconds * 1000 + nanoseconds / NS_PER_MS, epochMs: Date.now() };
}

/** Reads and replaces the register, one request at a time, and knows what follows for this process. */
export class RegisterKeeper {
  readonly #stream: Pick<RegisterStream, 'read' | 'write'>;
  readonly #timing: LeaseTiming;
  #state: ShareState;
  /** The number of the last message, also when it is no register. */
  #lastSeq = 0;
  /** The last setting that was read. */
  #setting: DrainSetting | null = null;
  #validUntilEpochMs = 0;

  constructor(id: string, stream: Pick<RegisterStream, 'read' | 'write'>, timing: LeaseTiming) {
    this.#stream = stream;
    this.#timing = timing;
    this.#state = noShare(id, now().tickMs);
  }

  get state(): ShareState {
    return this.#state;
  }

  get nowMs(): number {
    return now().tickMs;
  }

  /** Null until there is an answer, or when the register is gone. */
  get register(): Register | null {
    return this.#state.known?.register ?? null;
  }

  /** How many orders this process may start in any second now. */
  slots(): number {
    return isUsable(this.#state, now().tickMs) ? shareOf(this.#state) : 0;
  }

  validUntil(): StartDeadline {
    const { validUntilMs } = this.#state;
    if (validUntilMs === Number.NEGATIVE_INFINITY) return { monotonicNs: 0, epochMs: 0 };
    return { monotonicNs: validUntilMs * NS_PER_MS, epochMs: this.#validUntilEpochMs };
  }

  /** @throws Error NATS does not answer */
  async read(): Promise<void> {
    const sent = now();
    const { seq, register } = await this.#stream.read();
    this.#lastSeq = seq;
    this.#learn(register === null ? null : { register, seq }, sent);
  }

  /** Replaces the register as it is known. */
  async write(next: Register): Promise<PublishOutcome> {
    const base = this.#state.known?.seq ?? this.#lastSeq;
    const sent = now();
    const outcome = await this.#stream.write(next, base);
    if (outcome.verdict === 'stored') this.#learn({ register: next, seq: outcome.seq }, sent);
    return outcome;
  }

  /** Writes the first register, or one in the place of a register that is gone. */
  async create(setting: DrainSetting): Promise<PublishOutcome> {
    const epoch = randomBytes(EPOCH_BYTES).toString('base64url');
    const first = firstRegister(epoch, this.#setting ?? setting, this.#setting !== null);
    const sent = now();
    const outcome = await this.write(first);
    // NATS takes no messages, and only processing frees space there: no share is needed without a limit.
    if (outcome.verdict === 'refused' && first.setting.rate === 0) {
      this.#learn({ register: first, seq: this.#lastSeq }, sent);
    }
    return outcome;
  }

  #learn(found: { register: Register; seq: number } | null, sent: Moment): void {
    const before = this.#state.validUntilMs;
    this.#state = afterRead(this.#state, found, sent.tickMs, now().tickMs, this.#timing);
    if (found !== null) this.#setting = found.register.setting;
    const { validUntilMs } = this.#state;
    if (validUntilMs > before) this.#validUntilEpochMs = sent.epochMs + this.#timing.validMs;
  }
}
