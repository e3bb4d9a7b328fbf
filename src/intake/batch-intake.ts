import { answers } from '../model/answers.js';
import { keyOfOwner } from '../model/idempotency-key.js';
import type { LineWithHeaders } from '../model/kept-headers.js';
import type { Options } from '../model/options.js';
import type {
  BodyValidator,
  Committer,
  KeyedBatchClient,
  KeyedIntake,
  Limiter,
} from '../model/stages.js';
import { BATCH_FAULTS_MAX, type BatchAnswer, type BatchRun, detailed } from './batch-run.js';
import { BatchSlices, TOO_MANY } from './batch-slices.js';
import type { LimitHit } from './reply.js';

export interface BatchIntakeParts {
  readonly validator: BodyValidator;
  readonly committer: Committer;
  readonly keyed: KeyedIntake;
  readonly lineWithHeaders: LineWithHeaders;
  /** The limit of the server; null for none. */
  readonly limiter: Limiter | null;
  /** Counts orders in the RPS meter. */
  readonly meter: { hit(orders: number): void };
  readonly options: Pick<
    Options,
    'frameOrdersMax' | 'frameBytesMax' | 'waitingOrdersMax' | 'limitStatus'
  >;
}

/** The client of a batch. */
export interface BatchClient extends KeyedBatchClient {
  /** What follows each order in its line; empty for nothing. */
  readonly kept: Uint8Array;
}

const NO_ORDERS = '/ minItems';
/** What makes the bounds between the orders of an array uncertain. */
const NOT_JSON: ReadonlySet<string> = new Set(['/ json', '/ utf8']);

/** Takes the bodies of batches in one thread: finds the orders, admits, validates and hands them to the committer. */
export class BatchIntake {
  readonly #parts: BatchIntakeParts;
  readonly #slices: BatchSlices;
  /** Compact orders of the batch that is taken. Made for the first one. The class of a frame's buffer, see `writeTo`. */
  #lines: Buffer | null = null;
  #bytes = 0;
  /** The canonical form of each of them, if the batch has a key. */
  #canonical: (Uint8Array | null)[] = [];

  constructor(parts: BatchIntakeParts) {
    this.#parts = parts;
    this.#slices = new BatchSlices(this.#ordersMax(parts.limiter));
  }

  /** Longest body, before and after it is inflated: it has to fit into a frame, so longer ones are mostly white space. */
  get bodyBytesMax(): number {
    return this.#parts.options.frameBytesMax;
  }

  /**
   * Takes the body `bytes[0, length)`, which may be reused when this returns.
   *
   * @param key the idempotency key; empty if there is none
   * @returns the answer; null if `client` is or will be called
   */
  take(
    run: BatchRun,
    key: string,
    bytes: Uint8Array,
    length: number,
    client: BatchClient,
  ): BatchAnswer | null {
    const slices = this.#slices;
    const isArray = run.head.format === 'array';
    const fault = isArray ? slices.splitArray(bytes, length) : slices.splitLines(bytes, length);
    if (fault === TOO_MANY) return this.tooLarge(run);
    if (fault !== '') return run.notABatch(fault);
    if (slices.count === 0) return run.notABatch(NO_ORDERS);
    run.received = slices.count;
    this.#parts.meter.hit(slices.count);
    return this.#refusal(run) ?? this.#takeAdmitted(run, key, bytes, client);
  }

  /** The batch is too long, or has more orders than can ever be admitted at once. */
  tooLarge(run: BatchRun): BatchAnswer {
    const { limit } = run.head.sender ?? { limit: null };
    const ordersMax = this.#ordersMax(this.#parts.limiter, limit?.limiter);
    return detailed('tooLarge', [], { ordersMax, bytesMax: this.bodyBytesMax });
  }

  /** Orders in the largest batch. */
  #ordersMax(...limiters: readonly (Limiter | null | undefined)[]): number {
    const { frameOrdersMax, waitingOrdersMax } = this.#parts.options;
    const limits = limiters.map((limiter) => limiter?.limit ?? Number.POSITIVE_INFINITY);
    return Math.min(frameOrdersMax, waitingOrdersMax, ...limits);
  }

  /** Null if the limits admit all orders of the batch now. Then they count, whatever becomes of the batch. */
  #refusal(run: BatchRun): BatchAnswer | null {
    const { limiter } = this.#parts;
    const { received } = run;
    const own = run.head.sender?.limit ?? null;
    if (own !== null && received > own.limiter.limit) return this.tooLarge(run);
    if (own !== null && !own.limiter.tryAdmitBatch(received)) {
      return limited('rateLimited', hitOf('key', own.limiter, received));
    }
    if (limiter === null || limiter.tryAdmitBatch(received)) return null;
    const { limitStatus } = this.#parts.options;
    if (limitStatus === '500') {
      return { status: 500, write: (res, replies) => replies.send(res, 'serverKaput') };
    }
    const name = limitStatus === '429' ? 'rateLimited' : 'busy';
    return limited(name, hitOf('server', limiter, received));
  }

  #takeAdmitted(
    run: BatchRun,
    key: string,
    bytes: Uint8Array,
    client: BatchClient,
  ): BatchAnswer | null {
    const { committer, keyed } = this.#parts;
    const owned = key === '' ? '' : keyOfOwner(client.owner, key);
    const refusal = this.#writeLines(run, owned, bytes, client.kept);
    if (refusal !== null) return refusal;
    const count = run.received - run.refused.length;
    const batch = { bytes: this.#lines!, length: this.#bytes, count };
    if (key !== '') {
      keyed.takeBatch(key, batch, this.#canonical, client);
    } else if (!committer.takeBatch(batch, client)) {
      client.refused();
    }
    return null;
  }

  /** Validates the orders and writes those that are valid as compact lines; returns the answer if none is kept. */
  #writeLines(run: BatchRun, key: string, bytes: Uint8Array, kept: Uint8Array): BatchAnswer | null {
    const { validator, committer, lineWithHeaders } = this.#parts;
    const { starts, ends, lines, count } = this.#slices;
    this.#lines ??= Buffer.allocUnsafeSlow(this.bodyBytesMax);
    const target = this.#lines;
    const bytesMax = committer.batchBytesMax(key);
    this.#canonical = [];
    let end = 0;
    for (let i = 0; i < count; i++) {
      if (!validator.validate(bytes, starts[i]!, ends[i]!)) {
        run.addFault(i, lines[i]!, validator.fault);
        const isBroken = run.head.format === 'array' && NOT_JSON.has(validator.fault);
        const isEnough = !run.isLenient && run.refused.length === BATCH_FAULTS_MAX;
        if (isBroken || isEnough) return run.invalid();
        continue;
      }
      if (run.refused.length > 0 && !run.isLenient) continue;
      const line = lineWithHeaders.of(validator, kept);
      if (end + line.compactLength > bytesMax) return this.tooLarge(run);
      end = line.writeTo(target, end);
      if (key !== '') this.#canonical.push(validator.canonicalForm()?.slice() ?? null);
    }
    this.#bytes = end;
    const isInvalid = run.refused.length === count || (run.refused.length > 0 && !run.isLenient);
    return isInvalid ? run.invalid() : null;
  }
}

function hitOf(policy: LimitHit['policy'], limiter: Limiter, orders: number): LimitHit {
  return { policy, quota: limiter.limit, waitMs: limiter.waitMs(orders) };
}

function limited(name: 'rateLimited' | 'busy', hit: LimitHit): BatchAnswer {
  return {
    status: answers[name].status,
    write: (res, replies) => replies.limited(res, name, hit),
  };
}
