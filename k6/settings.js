import { defaultWave } from './lib/sine.js';

/**
 * Where a run goes and what the server was started with. Each is read from the environment:
 * `k6 run -e DRAIN_RATE=200 k6/spike.js`.
 *
 * @param {Record<string, string>} env
 * @param {number} drainRps the default of DRAIN_RATE
 */
export function readTarget(env, drainRps) {
  return {
    mode: readMode(env),
    url: env.URL ?? 'http://127.0.0.1:3000',
    /** The server's --path. PATH would be that of the shell. */
    path: env.ORDERS_PATH ?? '/orders',
    /** A file with the body of each order: see lib/body.js. The built-in order when empty. */
    bodyFile: env.BODY ?? '',
    adminUrl: env.ADMIN_URL ?? 'http://127.0.0.1:3001',
    /** A token of the server's --admin-token-file; empty if it asks for none. */
    adminToken: env.ADMIN_TOKEN ?? '',
    /** Orders per second that queue mode may process: the server's --drain-rate; 0 for no bound. */
    drainRps: number(env, 'DRAIN_RATE', drainRps),
    /** The file that the JSON summary goes to; none when empty. */
    summaryFile: env.SUMMARY ?? '',
  };
}

/** @param {Record<string, string>} env */
export function readSine(env) {
  return {
    ...readTarget(env, 60),
    wave: {
      minRps: number(env, 'MIN', defaultWave.minRps),
      maxRps: number(env, 'MAX', defaultWave.maxRps),
      periodS: number(env, 'PERIOD', defaultWave.periodS),
      periods: number(env, 'PERIODS', defaultWave.periods),
    },
    /** Requests per second beyond which direct mode answers 500: the server's --rps-limit. */
    limitRps: number(env, 'LIMIT', 50),
  };
}

/** @param {Record<string, string>} env */
export function readSpike(env) {
  return {
    ...ofQueue('spike', readTarget(env, 200)),
    spike: {
      baseRps: number(env, 'BASE', 20),
      peakRps: number(env, 'PEAK', 500),
      beforeS: number(env, 'BEFORE', 15),
      riseS: number(env, 'RISE', 1),
      holdS: number(env, 'HOLD', 10),
      afterS: number(env, 'AFTER', 30),
    },
    p99MsMax: number(env, 'P99_MS', 250),
  };
}

/** @param {Record<string, string>} env */
export function readStep(env) {
  return {
    ...ofQueue('step', readTarget(env, 0)),
    stairs: {
      stepRps: number(env, 'STEP', 100),
      steps: number(env, 'STEPS', 10),
      holdS: number(env, 'HOLD', 10),
    },
    p99MsMax: number(env, 'P99_MS', 100),
  };
}

/** @param {Record<string, string>} env */
export function readSoak(env) {
  return {
    ...ofQueue('soak', readTarget(env, 60)),
    rateRps: number(env, 'RATE', 50),
    durationS: number(env, 'DURATION', 1800),
    p99MsMax: number(env, 'P99_MS', 100),
    /** How many MB more memory the server may hold at the end than early in the run. */
    growthMbMax: number(env, 'GROWTH_MB', 64),
  };
}

function readMode(env) {
  const mode = env.MODE ?? 'queue';
  if (mode !== 'queue' && mode !== 'direct')
    throw new Error(`MODE=${mode}: must be queue or direct`);
  return mode;
}

function ofQueue(script, target) {
  if (target.mode === 'direct') throw new Error(`MODE=direct: ${script} is only for queue mode`);
  return target;
}

function number(env, name, fallback) {
  const value = env[name] === undefined ? fallback : Number(env[name]);
  if (!(value >= 0)) throw new Error(`${name}=${env[name]}: must be a number of at least 0`);
  return value;
}
