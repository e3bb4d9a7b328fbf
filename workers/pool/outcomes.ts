/** Reads what a handler returned. It may be anything, and what is said about it must help who wrote the handler. */
import type { Order, Outcome } from '../../src/model/order.js';
import {
  type Failure,
  INVALID_OUTCOME,
  OUTCOME_DEAD,
  OUTCOME_DONE,
  OUTCOME_RETRY,
  type OutcomeNote,
  unexplained,
} from '../../src/model/pool-messages.js';
import { charsNeeded, withoutData } from './order-data.js';
import {
  cutReason,
  isPromise,
  REASON_CHARS_MAX,
  reasonOf,
  retryAfterMsOf,
  valueText,
} from './thrown.js';

const OUTCOME_BYTE: Readonly<Record<Outcome, number>> = {
  done: OUTCOME_DONE,
  retry: OUTCOME_RETRY,
  dead: OUTCOME_DEAD,
};

const ALLOWED = `an outcome is 'done', 'retry', 'dead' or { outcome, reason, retryAfterMs }`;
const MEMBERS = ['outcome', 'reason', 'retryAfterMs'];
/** Of what was returned in the place of an outcome. */
const WRONG_CHARS_MAX = 120;
/** Of a reason beside a member that is unknown: together they are as long as a reason may be, and what is allowed. */
const GIVEN_CHARS_MAX = 300;

/** The outcomes of a batch, as in `BatchResult`. */
export interface ReadOutcomes {
  readonly outcomes: Uint8Array | null;
  readonly notes: ReadonlyMap<number, OutcomeNote> | null;
}

const ALL_DONE: ReadOutcomes = { outcomes: null, notes: null };

/** The handler did not return one outcome per order. */
export class InvalidOutcomes extends Error {
  readonly failure: Failure;

  constructor(what: string) {
    super(what);
    this.failure = { reason: what, shown: what, kind: INVALID_OUTCOME };
  }
}

/**
 * An order whose outcome is none fails: it is tried again, and has the reason. The others keep their outcomes. So does an order
 * whose outcome has an unknown member, which its reason names.
 *
 * @param orders how many the handler got
 * @param orderAt an order of the batch as it was before the call
 * @throws InvalidOutcomes it cannot be told which outcome is for which order
 */
export function readOutcomes(
  returned: unknown,
  orders: number,
  orderAt: (index: number) => Order<unknown>,
): ReadOutcomes {
  if (returned === undefined) return ALL_DONE;
  if (!isArray(returned) || returned.length !== orders) {
    throw new InvalidOutcomes(lengthText(returned, orders, orderAt));
  }
  const outcomes = new Uint8Array(orders);
  let notes: Map<number, OutcomeNote> | null = null;
  for (let i = 0; i < orders; i++) {
    const outcome: unknown = returned[i];
    if (isOutcome(outcome)) {
      outcomes[i] = OUTCOME_BYTE[outcome];
      continue;
    }
    const read = readDetailed(outcome, () => orderAt(i));
    outcomes[i] = read.outcome;
    if (read.note === null) continue;
    notes ??= new Map();
    notes.set(i, read.note);
  }
  return { outcomes, notes };
}

interface ReadDetailed {
  readonly outcome: number;
  readonly note: OutcomeNote | null;
}

function readDetailed(said: unknown, orderOf: () => Order<unknown>): ReadDetailed {
  const outcome = memberOf(said, 'outcome');
  if (!isOutcome(outcome)) return invalid(wrongText(said, outcome), orderOf());
  if (outcome === 'done') return { outcome: OUTCOME_DONE, note: null };
  const retryAfterMs = outcome === 'retry' ? retryAfterMsOf(said) : null;
  if (Number.isNaN(retryAfterMs)) {
    const what = `an outcome with retryAfterMs ${valueText(memberOf(said, 'retryAfterMs'))}`;
    return invalid(`${what}, which is no number of milliseconds`, orderOf());
  }
  const reason = memberOf(said, 'reason');
  const text = reason === undefined || reason === null ? '' : textOf(reason);
  const unknown = unknownMembers(said);
  if (unknown !== '') {
    const failure = wrongFailure(
      `{ outcome: '${outcome}' } with the unknown ${unknown}`,
      orderOf(),
    );
    const note = withReason(failure, text, orderOf());
    return { outcome: OUTCOME_BYTE[outcome], note: { ...note, retryAfterMs } };
  }
  if (text === '' && retryAfterMs === null) return { outcome: OUTCOME_BYTE[outcome], note: null };
  return { outcome: OUTCOME_BYTE[outcome], note: noteOf(outcome, text, retryAfterMs, orderOf) };
}

/** Members that say nothing, such as a misspelt reason; empty if there are none. Never throws. */
function unknownMembers(said: unknown): string {
  try {
    const names = Object.keys(said as object).filter((name) => !MEMBERS.includes(name));
    return reasonOf(names.join(', '), charsNeeded(WRONG_CHARS_MAX));
  } catch {
    return '';
  }
}

/** The reason that the handler did give comes first. */
function withReason(failure: Failure, text: string, order: Order<unknown>): Failure {
  if (text === '') return failure;
  const shown = withoutData(text, [order], GIVEN_CHARS_MAX);
  const reason = text.slice(0, GIVEN_CHARS_MAX).toWellFormed();
  return {
    ...failure,
    reason: `${reason}; ${failure.reason}`,
    shown: `${shown}; ${failure.shown}`,
  };
}

function noteOf(
  outcome: Outcome,
  text: string,
  retryAfterMs: number | null,
  orderOf: () => Order<unknown>,
): OutcomeNote {
  if (text === '') return { ...unexplained(OUTCOME_BYTE[outcome]), retryAfterMs };
  const shown = withoutData(text, [orderOf()], REASON_CHARS_MAX);
  return { reason: cutReason(text), shown, kind: shown, retryAfterMs };
}

function invalid(what: string, order: Order<unknown>): ReadDetailed {
  return { outcome: OUTCOME_RETRY, note: { ...wrongFailure(what, order), retryAfterMs: null } };
}

function wrongFailure(what: string, order: Order<unknown>): Failure {
  const text = (said: string) => `the handler returned ${said} for order ${order.id}: ${ALLOWED}`;
  return {
    reason: text(what),
    shown: text(withoutData(what, [order], WRONG_CHARS_MAX)),
    kind: INVALID_OUTCOME,
  };
}

function wrongText(said: unknown, outcome: unknown): string {
  if (isPromise(said)) return 'a promise, which it must await, for example with Promise.all,';
  const charsMax = charsNeeded(WRONG_CHARS_MAX);
  if (outcome === undefined) return valueText(said, charsMax);
  return `{ outcome: ${valueText(outcome, charsMax)} }`;
}

function lengthText(
  returned: unknown,
  orders: number,
  orderAt: (index: number) => Order<unknown>,
): string {
  const what = isArray(returned) ? outcomesText(returned.length) : kindText(returned);
  const which = orders === 1 ? `order ${orderAt(0).id}` : `${orders} orders`;
  return `the handler returned ${what} for ${which}: it must return nothing, or an array with one outcome per order, in their sequence; ${ALLOWED}`;
}

function outcomesText(count: number): string {
  return count === 1 ? 'an array of 1 outcome' : `an array of ${count} outcomes`;
}

/** Not its text: it is about all orders of the batch, and may quote any of them. */
function kindText(value: unknown): string {
  if (isOutcome(value)) return `'${value}'`;
  if (typeof value === 'string') return 'a text';
  return typeof value === 'number' || typeof value === 'bigint' ? 'a number' : valueText(value);
}

/** A reason may be an error too. Longer than it is kept, so that no value of the order is cut. */
function textOf(reason: unknown): string {
  return reasonOf(reason, charsNeeded(REASON_CHARS_MAX));
}

/** A revoked proxy throws when it is asked. */
function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Never throws; undefined for what cannot be read. */
function memberOf(said: unknown, name: string): unknown {
  try {
    return (said as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function isOutcome(value: unknown): value is Outcome {
  return value === 'done' || value === 'retry' || value === 'dead';
}
