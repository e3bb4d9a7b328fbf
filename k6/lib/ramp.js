/**
 * A load as straight pieces: within each the rate goes evenly from one value to the next. Plain
 * JavaScript without imports, so that k6 and Node run the same formula.
 *
 * @typedef {object} Piece
 * @property {number} durationS 0 for a jump
 * @property {number} fromRps requests per second
 * @property {number} toRps
 */

/** k6 takes whole numbers of arrivals per time unit: a unit of 100 s gives rates of two decimals. */
const TIME_UNIT_S = 100;

/**
 * A base load, a steep rise to a peak that is held, and the base load again.
 *
 * @param {{ baseRps: number, peakRps: number, beforeS: number, riseS: number, holdS: number, afterS: number }} spike
 * @returns {Piece[]}
 */
export function spikePieces({ baseRps, peakRps, beforeS, riseS, holdS, afterS }) {
  return [
    { durationS: beforeS, fromRps: baseRps, toRps: baseRps },
    { durationS: riseS, fromRps: baseRps, toRps: peakRps },
    { durationS: holdS, fromRps: peakRps, toRps: peakRps },
    { durationS: riseS, fromRps: peakRps, toRps: baseRps },
    { durationS: afterS, fromRps: baseRps, toRps: baseRps },
  ];
}

/**
 * Stairs: each step lasts as long as the one before it and is higher.
 *
 * @param {{ stepRps: number, steps: number, holdS: number }} stairs
 * @returns {Piece[]}
 */
export function stairPieces({ stepRps, steps, holdS }) {
  return Array.from({ length: steps }, (_, i) => {
    const rps = stepRps * (i + 1);
    return { durationS: holdS, fromRps: rps, toRps: rps };
  });
}

/** @param {readonly Piece[]} pieces */
export function lengthS(pieces) {
  return pieces.reduce((sum, { durationS }) => sum + durationS, 0);
}

/** @param {readonly Piece[]} pieces */
export function arrivalsOf(pieces) {
  return pieces.reduce(
    (sum, piece) => sum + ((piece.fromRps + piece.toRps) / 2) * piece.durationS,
    0,
  );
}

/** @param {readonly Piece[]} pieces */
export function peakOf(pieces) {
  return Math.max(...pieces.map(({ fromRps, toRps }) => Math.max(fromRps, toRps)));
}

/**
 * The most orders that wait at once when at most `drainRps` a second are processed.
 *
 * @param {readonly Piece[]} pieces
 * @param {number} drainRps
 */
export function backlogPeak(pieces, drainRps) {
  const stepS = 0.05;
  let backlog = 0;
  let most = 0;
  for (const { durationS, fromRps, toRps } of pieces) {
    for (let tS = 0; tS < durationS; tS += stepS) {
      const rps = fromRps + ((toRps - fromRps) * tS) / durationS;
      backlog = Math.max(0, backlog + (rps - drainRps) * stepS);
      most = Math.max(most, backlog);
    }
  }
  return most;
}

/**
 * The load as k6's executor `ramping-arrival-rate` takes it; where two pieces do not meet, a jump.
 *
 * @param {readonly Piece[]} pieces
 */
export function rampingArrivals(pieces) {
  const stages = [];
  let rps = pieces[0]?.fromRps ?? 0;
  for (const { durationS, fromRps, toRps } of pieces) {
    if (fromRps !== rps) stages.push({ duration: '0s', target: perUnit(fromRps) });
    stages.push({ duration: `${Math.round(durationS * 1000)}ms`, target: perUnit(toRps) });
    rps = toRps;
  }
  return { startRate: perUnit(pieces[0]?.fromRps ?? 0), timeUnit: `${TIME_UNIT_S}s`, stages };
}

/** @param {number} rps */
function perUnit(rps) {
  return Math.round(rps * TIME_UNIT_S);
}
