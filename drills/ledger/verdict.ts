import { BROKEN, type SentOrders, UNSENT } from './sent-orders.js';

/** One processing of one order. */
export interface Processing {
  readonly sequence: number;
  readonly id: string;
  /** Product and count, as the handler saw them. */
  readonly product: string;
  readonly count: string;
  /** The process and thread that did it; empty if no repeat is allowed (PostgreSQL). */
  readonly runner: string;
}

/** One letter each, for the saved outcome. */
const ORDER_VERDICT = {
  ok: 'o',
  /** Answered 200, not processed. */
  lost: 'L',
  /** Processed more than once by runners that were not killed. */
  doubled: 'D',
  /** Processed by a runner that was killed, and again. */
  repeated: 'r',
  /** No response, processed: allowed, because the client cannot know. */
  unanswered: 'u',
  /** No 200, not processed. */
  refused: '-',
  /** Processed with other content, or under another id than the client got. */
  altered: 'A',
} as const;
type OrderVerdict = (typeof ORDER_VERDICT)[keyof typeof ORDER_VERDICT];

export interface Verdict {
  /** Orders that were due. */
  readonly offered: number;
  readonly accepted: number;
  readonly unsent: number;
  /** Counts of statuses other than 200; `broken`: no response. */
  readonly others: Readonly<Record<string, number>>;
  /** Distinct orders that were processed. */
  readonly processed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly repeated: number;
  /** Answered other than 200, and processed: a client that retries creates a second order. */
  readonly refusedButProcessed: number;
  readonly altered: number;
  /** Processed, never sent. */
  readonly alien: number;
  /** One `OrderVerdict` per order, by sequence number. */
  readonly perOrder: string;
}

export interface Judged {
  readonly sent: SentOrders;
  readonly processings: readonly Processing[];
  /** Whether the process or thread of this runner was killed, so that its work may be repeated. */
  readonly wasKilled: (runner: string) => boolean;
  /** What was sent with this number. */
  readonly contentOf: (sequence: number) => { readonly product: string; readonly count: string };
}

/** Compares every response with every processing. */
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

/** What must hold despite a fault. */
export interface Guarantees {
  readonly isLossAllowed: boolean;
  /** Every order must be answered 200. */
  readonly isOnly200: boolean;
  /** The maximum of repeated orders; default: no maximum. */
  readonly repeatedMax?: number;
}

/** @returns one line per broken guarantee */
export function brokenGuarantees(verdict: Verdict, guarantees: Guarantees): string[] {
  const { lost, doubled, altered, alien, unsent, others, refusedButProcessed, accepted } = verdict;
  const broken: string[] = [];
  if (accepted === 0) broken.push('no order was accepted, so the run proves nothing');
  if (lost > 0 && !guarantees.isLossAllowed) broken.push(`${lost} lost`);
  if (doubled > 0) broken.push(`${doubled} doubled`);
  const { repeatedMax = Number.POSITIVE_INFINITY } = guarantees;
  if (verdict.repeated > repeatedMax) broken.push(`${verdict.repeated} repeated`);
  if (altered > 0) broken.push(`${altered} altered`);
  if (alien > 0) broken.push(`${alien} processed, never sent`);
  if (refusedButProcessed > 0) broken.push(`${refusedButProcessed} refused, but processed`);
  const notAccepted = Object.entries(others).map(([name, count]) => `${name}: ${count}`);
  if (unsent > 0) notAccepted.push(`unsent: ${unsent}`);
  if (guarantees.isOnly200 && notAccepted.length > 0) {
    broken.push(`not all were answered 200 (${notAccepted.join(', ')})`);
  }
  return broken;
}
