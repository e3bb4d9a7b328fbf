import { sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { bodies } from './lib/body.js';
import { recordAnswer, recordEnd } from './measures.js';
import { poll } from './server.js';
import { summarize, summaryText } from './summary.js';
import { isSettled, POLL_S, watchServer } from './watch.js';

/** There must be peak rate × worst latency virtual users, or iterations are dropped. */
const WORST_LATENCY_S = 2;
const VUS_MAX = 1000;
/** Beyond the time that all orders would take to process at the drain rate. */
const SETTLE_MARGIN_S = 30;

const POST = { headers: { 'Content-Type': 'application/json' }, timeout: '10s' };

/**
 * A run in an open model: requests are sent when they are due, whether or not earlier ones have
 * been answered. The script exports what this returns.
 *
 * @param {object} settings see settings.js
 * @param {object} plan
 * @param {string} plan.script its name, in the summary
 * @param {string} plan.what the first line of the summary
 * @param {number} plan.durationS
 * @param {number} plan.arrivals how many requests are due
 * @param {number} plan.peakRps
 * @param {object} plan.arrivalRate what the executor `ramping-arrival-rate` takes
 * @param {Record<string, unknown[]>} plan.thresholds
 * @param {(elapsedMs: number) => Record<string, string> | undefined} [plan.tagsAt] of the latency
 */
export function openRun(settings, plan) {
  const { mode, url, path, drainRps } = settings;
  // k6 reads files before the run only.
  const bodyOf = bodies(settings.bodyFile === '' ? '' : open(settings.bodyFile));
  const drainS = drainRps > 0 ? plan.arrivals / drainRps : 0;
  const settleS = mode === 'queue' ? drainS + SETTLE_MARGIN_S : 5;
  return {
    options: optionsOf(plan, settleS),

    setup() {
      const before = poll(settings);
      if (before.pendingOrders > 0) throw new Error(`${before.pendingOrders} orders are pending`);
      return { before, startMs: Date.now(), durationS: plan.durationS };
    },

    order(run) {
      const tags = plan.tagsAt?.(Date.now() - exec.scenario.startTime);
      const sentMs = Date.now();
      const body = bodyOf(exec.scenario.iterationInTest + 1);
      const answer = http.post(`${url}${path}`, body, POST);
      const times = { sentMs, answeredMs: Date.now() };
      recordAnswer(answer, times, mode === 'direct', run, tags);
    },

    watch(run) {
      watchServer(settings, run, settleS);
    },

    teardown(run) {
      const deadlineMs = Date.now() + settleS * 1000;
      let now = poll(settings);
      while (!isSettled(now, run) && Date.now() < deadlineMs) {
        sleep(POLL_S);
        now = poll(settings);
      }
      recordEnd(now.doneOrders - run.before.doneOrders, now.pendingOrders);
    },

    handleSummary(data) {
      const summary = summarize(data, settings, plan);
      const outputs = { stdout: summaryText(summary, plan.what) };
      if (settings.summaryFile !== '') {
        outputs[settings.summaryFile] = `${JSON.stringify(summary, null, 2)}\n`;
      }
      return outputs;
    },
  };
}

function optionsOf(plan, settleS) {
  return {
    scenarios: {
      orders: {
        executor: 'ramping-arrival-rate',
        exec: 'order',
        preAllocatedVUs: Math.min(VUS_MAX, Math.ceil(plan.peakRps * WORST_LATENCY_S)),
        ...plan.arrivalRate,
      },
      watch: {
        executor: 'per-vu-iterations',
        exec: 'watch',
        vus: 1,
        iterations: 1,
        maxDuration: `${Math.ceil(plan.durationS + settleS + SETTLE_MARGIN_S)}s`,
      },
    },
    thresholds: plan.thresholds,
    setupTimeout: '30s',
    teardownTimeout: `${Math.ceil(settleS + SETTLE_MARGIN_S)}s`,
    summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)'],
  };
}
