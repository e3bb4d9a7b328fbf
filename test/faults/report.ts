import type { SentOrders } from '../../drills/ledger/sent-orders.js';
import type { Verdict } from '../../drills/ledger/verdict.js';

/** The result of one run. */
export interface Report {
  readonly fault: string;
  readonly seed: number;
  readonly verdict: Verdict | null;
  /** From when an order was due until its 200. */
  readonly latencyMs: { readonly p99: number; readonly max: number };
  readonly seconds: number;
  /** Broken guarantees; empty: none. */
  readonly wrong: readonly string[];
  /** Why it did not run; empty if it did. */
  readonly skipped: string;
}

export function latencyOf({ statuses, latenciesMs }: SentOrders): Report['latencyMs'] {
  const sorted = latenciesMs.filter((_, i) => statuses[i] === 200).sort();
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { p99: at(0.99), max: at(1) };
}

const COLUMNS = [
  'fault',
  'seed',
  'offered',
  'accepted',
  'other responses',
  'unsent',
  'processed',
  'unanswered',
  'repeated',
  'lost',
  'doubled',
  'p99 ms',
  'max ms',
  's',
  'verdict',
] as const;

/** The cells of COLUMNS. */
function cellsOf(report: Report): string[] {
  const { fault, seed, verdict, latencyMs, seconds, wrong, skipped } = report;
  if (skipped !== '') return [fault, String(seed), ...Array(12).fill('-'), `skipped: ${skipped}`];
  const word = wrong.length === 0 ? 'ok' : `FAILED: ${wrong.join('; ')}`;
  if (verdict === null) return [fault, String(seed), ...Array(11).fill('-'), String(seconds), word];
  const others = Object.entries(verdict.others).map(([name, count]) => `${name}×${count}`);
  const { offered, accepted, unsent, processed, perOrder, repeated, lost, doubled } = verdict;
  const unanswered = perOrder.split('').filter((letter) => letter === 'u').length;
  const numbers = [unsent, processed, unanswered, repeated, lost, doubled];
  const times = [latencyMs.p99, latencyMs.max, seconds];
  return [
    fault,
    ...[seed, offered, accepted].map(String),
    others.join(' ') || '0',
    ...[...numbers, ...times].map(String),
    word,
  ];
}

/** One run in one line. */
export function lineOf(report: Report): string {
  return cellsOf(report)
    .map((cell, i) => (i === 0 ? cell : `${COLUMNS[i]} ${cell}`))
    .join(', ');
}

/** A Markdown table with one row per fault. */
export function tableOf(reports: readonly Report[]): string {
  const names = [...new Set(reports.map(({ fault }) => fault))];
  const head =
    '| fault | runs | offered | accepted | lost | doubled | repeated | max ms | verdict |';
  const rows = names.map((name) => {
    const all = reports.filter(({ fault }) => fault === name);
    const run = all.filter(({ verdict }) => verdict !== null);
    const sum = (of: (verdict: Verdict) => number) =>
      run.reduce((total, { verdict }) => total + of(verdict!), 0);
    const counts = [sum((v) => v.offered), sum((v) => v.accepted), sum((v) => v.lost)];
    const repeats = [sum((v) => v.doubled), sum((v) => v.repeated)];
    const maxMs = Math.max(0, ...run.map(({ latencyMs }) => latencyMs.max));
    const wrong = all.filter((report) => report.wrong.length > 0);
    const seeds = wrong.map(({ seed }) => seed).join(', ');
    const word = wrong.length > 0 ? `FAILED with seed ${seeds}` : all[0]!.skipped || 'ok';
    return `| ${[name, run.length, ...counts, ...repeats, maxMs, word].join(' | ')} |`;
  });
  return [head, '| --- | --- | --- | --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}
