import { BROKEN, type SentOrders, UNSENT } from './sent-orders.js';

/** One order, processed once. */
export interface Processing {
  readonly sequence: number;
  readonly id: string;
  /** Product and count, as the handler saw them. */
  readonly product: string;
  readonly count: string;
  /** The process and thread that did it, or empty where repeats must not show at all (PostgreSQL). */
  readonly runner: string;
}

/** In one letter each, for the outcome file. */
export const ORDER_VERDICT = {
  ok: 'o',
  /** Answered 200, and not processed. */
  lost: 'L',
  /** Processed again although nobody who processed it was killed. */
  doubled: 'D',
  /** Processed by somebody who was killed, and again. */
  repeated: 'r',
  /** No 200, and processed: allowed where the answer was lost, for the client does not know. */
  unanswered: 'u',
  /** No 200, and not processed. */
  refused: '-',
  /** Processed with another content, or under another id than the client was told. */
  altered: 'A',
} as const;
export type OrderVerdict = (typeof ORDER_VERDICT)[keyof typeof ORDER_VERDICT];

export interface Verdict {
  /** Orders that were due. */
  readonly offered: number;
  readonly accepted: number;
  readonly unsent: number;
  /** Sent, and neither 200 nor unsent: how many of each status; `broken` where there was no answer. */
  readonly others: Readonly<Record<string, number>>;
  /** Different orders that were processed. */
  readonly processed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly repeated: number;
  /** Answered, but not by 200, and processed all the same: a client that tries again makes a second order. */
  readonly refusedButProcessed: number;
  readonly altered: number;
  /** Processed, and never sent. */
  readonly alien: number;
  /** An `OrderVerdict` an order, by sequence number. */
  readonly perOrder: string;
}

export interface Judged {
  readonly sent: SentOrders;
  readonly processings: readonly Processing[];
  /** Whether what this runner did may have been forgotten: its process or thread was killed. */
  readonly wasKilled: (runner: string) => boolean;
  /** What was sent as this number. */
  readonly contentOf: (sequence: number) => { readonly product: string; readonly count: string };
}

/** Holds every answer against every processing. */
export function judge({ sent, processings, wasKilled, contentOf }: Judged): Verdict {
  const bySequence = new Map<number, Processing[]>();
  let alien = 0;
  for (const processing of processings) {
    const { sequence } = processing;
    if (!(sequence < sent.statuses.length) || sent.statuses[sequence] === UNSENT) alien++;
    const earlier = bySequence.get(sequence);
    if (earlier === undefined) bySequence.set(sequence, [processing]);
    else earlier.push(processing);
  }
  const others: Record<string, number> = {};
  const perOrder: OrderVerdict[] = [];
  let refusedButProcessed = 0;
  for (const [sequence, status] of sent.statuses.entries()) {
    const done = bySequence.get(sequence) ?? [];
    if (status !== 200 && status !== UNSENT) {
      const name = status === BROKEN ? 'broken' : String(status);
      others[name] = (others[name] ?? 0) + 1;
      if (status !== BROKEN && done.length > 0) refusedButProcessed++;
    }
    const content = done.length === 0 ? null : contentOf(sequence);
    const isTrue = ({ product, count, id }: Processing) =>
      product === content?.product &&
      count === content.count &&
      (status !== 200 || id === sent.ids[sequence]);
    perOrder.push(verdictOf(status, done, done.every(isTrue), wasKilled));
  }
  const countOf = (verdict: OrderVerdict) => perOrder.filter((one) => one === verdict).length;
  return {
    offered: sent.statuses.length,
    accepted: sent.statuses.filter((status) => status === 200).length,
    unsent: sent.statuses.filter((status) => status === UNSENT).length,
    others,
    processed: bySequence.size,
    lost: countOf(ORDER_VERDICT.lost),
    doubled: countOf(ORDER_VERDICT.doubled),
    repeated: countOf(ORDER_VERDICT.repeated),
    refusedButProcessed,
    altered: countOf(ORDER_VERDICT.altered),
    alien,
    perOrder: perOrder.join(''),
  };
}

function verdictOf(
  status: number,
  done: readonly Processing[],
  isTrue: boolean,
  wasKilled: (runner: string) => boolean,
): OrderVerdict {
  if (done.length === 0) return status === 200 ? ORDER_VERDICT.lost : ORDER_VERDICT.refused;
  const survivors = done.filter(({ runner }) => !wasKilled(runner)).length;
  if (survivors > 1) return ORDER_VERDICT.doubled;
  if (!isTrue) return ORDER_VERDICT.altered;
  if (done.length > 1) return ORDER_VERDICT.repeated;
  return status === 200 ? ORDER_VERDICT.ok : ORDER_VERDICT.unanswered;
}

/** What a fault must not do, in words; empty when all is as promised. */
export interface Promises {
  readonly isLossAllowed: boolean;
  /** Every order that was due is to be answered, and by 200. */
  readonly isOnly200: boolean;
  /** Orders that may be processed again although their process was not killed but paused; left out: as many as there are. */
  readonly repeatedMax?: number;
}

export function brokenPromises(verdict: Verdict, promises: Promises): string[] {
  const { lost, doubled, altered, alien, unsent, others, refusedButProcessed, accepted } = verdict;
  const broken: string[] = [];
  if (accepted === 0) broken.push('nothing was accepted: the run says nothing');
  if (lost > 0 && !promises.isLossAllowed) broken.push(`${lost} lost`);
  if (doubled > 0) broken.push(`${doubled} doubled`);
  const { repeatedMax = Number.POSITIVE_INFINITY } = promises;
  if (verdict.repeated > repeatedMax) broken.push(`${verdict.repeated} repeated`);
  if (altered > 0) broken.push(`${altered} altered`);
  if (alien > 0) broken.push(`${alien} processed that nobody sent`);
  if (refusedButProcessed > 0) broken.push(`${refusedButProcessed} refused, but processed`);
  const notAccepted = Object.entries(others).map(([name, count]) => `${name}: ${count}`);
  if (unsent > 0) notAccepted.push(`unsent: ${unsent}`);
  if (promises.isOnly200 && notAccepted.length > 0) {
    broken.push(`not all were answered 200 (${notAccepted.join(', ')})`);
  }
  return broken;
}
