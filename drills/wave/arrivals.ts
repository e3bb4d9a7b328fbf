import { arrivalsBefore, durationS, type Wave } from '../../k6/lib/sine.js';

/** Halvings of an interval of at most an hour: ends below a nanosecond. */
const BISECTIONS = 45;

/**
 * The moments at which requests are due, in seconds since the start: the n-th when the integral of
 * the rate reaches n. Answers have no say in it (an open model).
 */
export function* arrivalTimesS(wave: Wave): Generator<number, void> {
  const endS = durationS(wave);
  // The integral over the whole wave may end a hair below the whole number that it stands for.
  const total = Math.floor(arrivalsBefore(endS, wave) + 1e-6);
  let lastS = 0;
  for (let n = 1; n <= total; n++) {
    lastS = timeOfArrival(n, lastS, endS, wave);
    yield lastS;
  }
}

function timeOfArrival(n: number, afterS: number, endS: number, wave: Wave): number {
  let low = afterS;
  let high = endS;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (arrivalsBefore(middle, wave) < n) low = middle;
    else high = middle;
  }
  return high;
}
