// Drives a Forebay server through the sine wave, in an open model: requests are sent when they are
// due, whether or not earlier ones have been answered. The exit code says whether it showed what it
// must (see thresholds.js).
//   k6 run -e MODE=direct k6/sine.js      a server with --mode direct --rps-limit 50
//   k6 run -e MODE=queue  k6/sine.js      a server with --drain-rate 60
import { sleep } from 'k6';
import http from 'k6/http';
import { arrivalRate, durationS, expectedArrivals } from './lib/sine.js';
import { recordAnswer, recordBacklog, recordEnd, recordWindow } from './measures.js';
import { poll } from './server.js';
import { readSettings } from './settings.js';
import { summarize, summaryText } from './summary.js';
import { thresholds } from './thresholds.js';

const settings = readSettings(__ENV);
const { mode, url, adminUrl, wave } = settings;

/** Virtual users must cover peak rate × worst latency, or iterations are dropped. */
const WORST_LATENCY_S = 2;
/** Three polls span 0.9 s: the widest window that surely stays within a second. */
const POLL_S = 0.3;
const WINDOW_MS_MAX = 1000;
/** Beyond the time that the whole wave would take to process at the drain rate. */
const SETTLE_MARGIN_S = 30;
const settleS = mode === 'queue' ? expectedArrivals(wave) / settings.drainRps + SETTLE_MARGIN_S : 5;

const ORDER = '{"product_id":"33","count":"3","username":"maksim.konovalov"}';
const POST = { headers: { 'Content-Type': 'application/json' }, timeout: '10s' };

const watchScenario = {
  executor: 'per-vu-iterations',
  exec: 'watch',
  vus: 1,
  iterations: 1,
  maxDuration: `${Math.ceil(durationS(wave) + settleS + SETTLE_MARGIN_S)}s`,
};

export const options = {
  scenarios: {
    wave: {
      executor: 'ramping-arrival-rate',
      exec: 'order',
      preAllocatedVUs: Math.ceil(wave.maxRps * WORST_LATENCY_S),
      ...arrivalRate(wave),
    },
    ...(mode === 'queue' ? { watch: watchScenario } : {}),
  },
  thresholds: thresholds(settings),
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(95)', 'p(99)'],
};

export function setup() {
  const before = poll(adminUrl);
  if (before.pendingOrders > 0) throw new Error(`${before.pendingOrders} orders wait already`);
  return { before, startMs: Date.now(), durationS: durationS(wave) };
}

export function order(run) {
  recordAnswer(http.post(`${url}/orders`, ORDER, POST), mode === 'direct', run);
}

/** Looks at the server's counters all through the wave, and until the last order is processed. */
export function watch(run) {
  const recent = [];
  for (;;) {
    const now = poll(adminUrl);
    recordBacklog(now.pendingOrders);
    recent.push(now);
    while (recent.length > 0 && now.receivedMs - recent[0].sentMs > WINDOW_MS_MAX) recent.shift();
    if (recent.length > 1) recordWindow(recent[0], now);
    const elapsedS = (now.receivedMs - run.startMs) / 1000;
    if (elapsedS > run.durationS && (isSettled(now, run) || elapsedS > run.durationS + settleS)) {
      return;
    }
    sleep(POLL_S);
  }
}

function isSettled(now, { before }) {
  const done = now.doneOrders - before.doneOrders;
  return now.pendingOrders === 0 && done === now.created - before.created;
}

export function teardown(run) {
  const deadlineMs = Date.now() + settleS * 1000;
  let now = poll(adminUrl);
  while (mode === 'direct' && !isSettled(now, run) && Date.now() < deadlineMs) {
    sleep(POLL_S);
    now = poll(adminUrl);
  }
  recordEnd(now.doneOrders - run.before.doneOrders, now.pendingOrders);
}

export function handleSummary(data) {
  const summary = summarize(data, settings);
  const outputs = { stdout: summaryText(summary) };
  if (settings.summaryFile !== '') {
    outputs[settings.summaryFile] = `${JSON.stringify(summary, null, 2)}\n`;
  }
  return outputs;
}
