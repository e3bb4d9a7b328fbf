import { defaultWave } from './lib/sine.js';

/**
 * Reads what a run is told by its environment: `k6 run -e MODE=direct k6/sine.js`.
 *
 * @param {Record<string, string>} env
 */
export function readSettings(env) {
  const mode = env.MODE ?? 'queue';
  if (mode !== 'queue' && mode !== 'direct') throw new Error(`MODE=${mode}: queue or direct`);
  return {
    mode,
    url: env.URL ?? 'http://127.0.0.1:3000',
    adminUrl: env.ADMIN_URL ?? 'http://127.0.0.1:3001',
    wave: {
      minRps: number(env, 'MIN', defaultWave.minRps),
      maxRps: number(env, 'MAX', defaultWave.maxRps),
      periodS: number(env, 'PERIOD', defaultWave.periodS),
      periods: number(env, 'PERIODS', defaultWave.periods),
    },
    /** Requests per second beyond which direct mode answers 500: the server's --rps-limit. */
    limitRps: number(env, 'LIMIT', 50),
    /** Orders per second that queue mode may process: the server's --drain-rate. */
    drainRps: number(env, 'DRAIN_RATE', 60),
    /** The file that the JSON summary goes to; none when empty. */
    summaryFile: env.SUMMARY ?? '',
  };
}

function number(env, name, fallback) {
  const value = env[name] === undefined ? fallback : Number(env[name]);
  if (!(value >= 0)) throw new Error(`${name}=${env[name]}: a number from 0`);
  return value;
}
