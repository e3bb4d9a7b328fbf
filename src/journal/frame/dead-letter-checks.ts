import type { StoredDeadLetter } from '../../model/dead-letters.js';
import type { Refiled } from '../../model/frame.js';

const LINE_END = 10;

/**
 * A dead letter as it was read, if it can be filed again: whatever else may write to the same place, nothing that
 * comes after this has to doubt it.
 *
 * @throws Error that says what is wrong with it, without its id
 */
export function requireReadable(letter: StoredDeadLetter): StoredDeadLetter {
  const { reason, attempts, firstAtMs, lastAtMs, body } = letter;
  placeOf(letter.orderId);
  if (typeof reason !== 'string') throw new Error('it has no reason');
  if (!isWhole(attempts) || attempts === 0)
    throw new Error('it does not say how often it was tried');
  if (!isWhole(firstAtMs) || !isWhole(lastAtMs)) throw new Error('it has no times');
  if (body.length === 0) throw new Error('it has no body');
  if (body.includes(LINE_END)) throw new Error('its body is more than one line');
  return letter;
}

/** Where the order stood in the frame it was accepted in. @throws Error when that is no order id */
export function placeOf(orderId: string): Refiled {
  const found = /^([\w-]{1,64})-(0|[1-9]\d{0,8})$/.exec(orderId);
  if (found === null) throw new Error('that is no order id');
  return { origin: found[1]!, indexes: [Number(found[2])] };
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
