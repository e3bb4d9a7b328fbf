/**
 * Judges a limit of so many a second by what can be seen from outside. A client sees when it sent a request and when it
 * had the answer; the server decided somewhere in between. So each rule here counts only what is certain, and never
 * blames a right server, however much the machine stutters. Plain JavaScript without imports, for k6 and Node alike.
 *
 * @typedef {object} Exchange a request and its answer, in milliseconds on one clock
 * @property {number} sentMs
 * @property {number} answeredMs
 *
 * @typedef {object} Reading a counter that was read at an exact time
 * @property {number} atS seconds, on the clock of the server
 * @property {number} count
 */

const SECOND_MS = 1000;
/** Clocks of clients are rounded, some to a millisecond. */
const CLOCK_MS = 1;
/** Longer spans make small excesses visible: at 5% too much, 2 s of readings every 0.1 s are enough. */
const SPAN_S_MAX = 10;

/**
 * The most requests that were sent and answered within one second, wherever it begins. All of them were admitted in
 * that second, so an exact limiter keeps this at or below its limit.
 *
 * @param {readonly Exchange[]} admitted requests that the limiter let through
 * @returns {number}
 */
export function mostInASecond(admitted) {
  const windowMs = SECOND_MS - CLOCK_MS;
  const quick = admitted.filter(({ sentMs, answeredMs }) => answeredMs - sentMs < windowMs);
  // A window contains an exchange when it begins after `answered - windowMs` and not after `sent`.
  const opens = quick.map(({ answeredMs }) => answeredMs - windowMs).sort((a, b) => a - b);
  const closes = quick.map(({ sentMs }) => sentMs).sort((a, b) => a - b);
  let most = 0;
  let open = 0;
  closes.forEach((close, closed) => {
    while (open < opens.length && opens[open] < close) open++;
    most = Math.max(most, open - closed);
  });
  return most;
}

/**
 * How many requests were refused although the limiter had room for certain: fewer than `limit` others can have been
 * admitted in the second before the refusal.
 *
 * @param {readonly Exchange[]} refused
 * @param {readonly Exchange[]} others requests that may have been admitted
 * @param {number} limit
 * @returns {number}
 */
export function refusedWithRoom(refused, others, limit) {
  const sent = others.map(({ sentMs }) => sentMs).sort((a, b) => a - b);
  const answered = others.map(({ answeredMs }) => answeredMs).sort((a, b) => a - b);
  return refused.filter(({ sentMs, answeredMs }) => {
    const tooEarly = countBelow(answered, sentMs - SECOND_MS - CLOCK_MS);
    const tooLate = sent.length - countBelow(sent, answeredMs + CLOCK_MS);
    return sent.length - tooEarly - tooLate < limit;
  }).length;
}

/**
 * How many events fall into each whole second, when each is known only to lie between two times. An event counts at its
 * earliest time, unless its second is then above the limit and it can belong to a later one.
 *
 * @param {readonly number[]} upper by second: how many may have happened by its end
 * @param {readonly number[]} lower by second: how many had happened for certain by its end; the last equals upper's
 * @param {number} [limit] what an exact limiter lets through in a second; a second above it proves a fault
 * @returns {number[]} as long as the two, with the same sum
 */
export function countBySecond(upper, lower, limit = Number.POSITIVE_INFINITY) {
  const least = lower.slice();
  for (let second = least.length - 1; second > 0; second--) {
    least[second - 1] = Math.max(least[second - 1], least[second] - limit);
  }
  let before = 0;
  return upper.map((most, second) => {
    const until = Math.min(most, Math.max(least[second], before + limit));
    const count = until - before;
    before = until;
    return count;
  });
}

/**
 * Bounds for `countBySecond` of the seconds that begin at `startMs`.
 *
 * @param {readonly Exchange[]} exchanges
 * @param {number} startMs
 * @param {number} seconds how many
 */
export function boundsOfExchanges(exchanges, startMs, seconds) {
  const sent = exchanges.map(({ sentMs }) => sentMs).sort((a, b) => a - b);
  const answered = exchanges.map(({ answeredMs }) => answeredMs).sort((a, b) => a - b);
  /** @param {number} second */
  const endMs = (second) => startMs + (second + 1) * SECOND_MS;
  const upper = Array.from({ length: seconds }, (_, second) => countBelow(sent, endMs(second)));
  const lower = upper.map((_, second) => countBelow(answered, endMs(second)));
  return { upper, lower };
}

/**
 * Bounds for `countBySecond` of the seconds that begin at time 0 of the readings.
 *
 * @param {readonly Reading[]} readings in order of time
 * @param {number} seconds how many
 */
export function boundsOfReadings(readings, seconds) {
  const first = readings[0]?.count ?? 0;
  const last = readings[readings.length - 1]?.count ?? 0;
  const upper = [];
  const lower = [];
  let next = 0;
  for (let end = 1; end <= seconds; end++) {
    while (next < readings.length && readings[next].atS < end) next++;
    const before = readings[next]?.atS === end ? next : next - 1;
    upper.push((readings[next]?.count ?? last) - first);
    lower.push((readings[before]?.count ?? first) - first);
  }
  return { upper, lower };
}

/**
 * The highest rate that readings of a counter prove: between two of them that lie at most so many whole seconds apart,
 * an exact limiter admits at most so many times its limit.
 */
export function watchPeakRate() {
  /** @type {Reading[]} */
  let recent = [];
  const peak = { perSecond: 0, overS: 1, readings: 0 };
  return {
    peak,
    /** @param {Reading} reading later than those before */
    add(reading) {
      recent = recent.filter(({ atS }) => reading.atS - atS <= SPAN_S_MAX);
      for (const { atS, count } of recent) {
        const overS = Math.max(1, Math.ceil(reading.atS - atS));
        const perSecond = (reading.count - count) / overS;
        if (perSecond > peak.perSecond) Object.assign(peak, { perSecond, overS });
      }
      recent.push(reading);
      peak.readings++;
    },
  };
}

/**
 * @param {readonly number[]} sorted
 * @param {number} value
 * @returns {number} how many are below
 */
function countBelow(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
