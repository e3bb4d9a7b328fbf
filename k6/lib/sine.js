/**
 * The wave: λ(t) = mid + amp · sin(2πt / period), in requests per second. Plain JavaScript without
 * imports, so that k6 and Node run the same formula.
 *
 * @typedef {object} Wave
 * @property {number} minRps the trough
 * @property {number} maxRps the peak
 * @property {number} periodS seconds from one crossing of the middle upwards to the next
 * @property {number} periods how many of them
 */

/** @type {Readonly<Wave>} */
export const defaultWave = { minRps: 0, maxRps: 100, periodS: 60, periods: 2 };

/** Straight pieces for one period: the largest gap to the sine is 0.2% of its height. */
const STAGES_PER_PERIOD = 50;
/** k6 takes whole numbers of arrivals per time unit: a unit of 100 s gives rates of two decimals. */
const TIME_UNIT_S = 100;
/** Steps a period for integrals without a closed form. */
const STEPS_PER_PERIOD = 10_000;

/** @param {Wave} wave */
export function durationS(wave) {
  return wave.periodS * wave.periods;
}

/**
 * @param {number} tS seconds since the start
 * @param {Wave} wave
 * @returns {number} requests per second
 */
export function rate(tS, wave) {
  const mid = (wave.maxRps + wave.minRps) / 2;
  const amp = (wave.maxRps - wave.minRps) / 2;
  return mid + amp * Math.sin((2 * Math.PI * tS) / wave.periodS);
}

/**
 * The integral of the rate: how many requests are due within the first `tS` seconds.
 *
 * @param {number} tS
 * @param {Wave} wave
 * @returns {number} fractional
 */
export function arrivalsBefore(tS, wave) {
  const mid = (wave.maxRps + wave.minRps) / 2;
  const amp = (wave.maxRps - wave.minRps) / 2;
  const omega = (2 * Math.PI) / wave.periodS;
  return mid * tS + (amp / omega) * (1 - Math.cos(omega * tS));
}

/** @param {Wave} wave */
export function expectedArrivals(wave) {
  return arrivalsBefore(durationS(wave), wave);
}

/**
 * The share of requests that exceed `limitRps`: ∫ max(0, λ − limit) / ∫ λ. For the default wave and
 * a limit at its middle, 1/π.
 *
 * @param {number} limitRps
 * @param {Wave} wave
 * @returns {number} 0 to 1
 */
export function shareAbove(limitRps, wave) {
  const steps = Math.ceil(STEPS_PER_PERIOD * wave.periods);
  const stepS = durationS(wave) / steps;
  let above = 0;
  for (let i = 0; i < steps; i++) {
    above += Math.max(0, rate((i + 0.5) * stepS, wave) - limitRps) * stepS;
  }
  return above / expectedArrivals(wave);
}

/**
 * The wave as k6's executor `ramping-arrival-rate` takes it: many short linear ramps.
 *
 * @param {Wave} wave
 */
export function arrivalRate(wave) {
  const count = Math.ceil(STAGES_PER_PERIOD * wave.periods);
  /** @param {number} stage */
  const endMs = (stage) => Math.round((durationS(wave) * 1000 * stage) / count);
  const stages = [];
  for (let i = 1; i <= count; i++) {
    const target = Math.round(rate(endMs(i) / 1000, wave) * TIME_UNIT_S);
    stages.push({ duration: `${endMs(i) - endMs(i - 1)}ms`, target });
  }
  return {
    startRate: Math.round(rate(0, wave) * TIME_UNIT_S),
    timeUnit: `${TIME_UNIT_S}s`,
    stages,
  };
}
