import { STYLE } from '../story/page/style.js';
import { SURVIVES } from '../story/page/tables.js';
import { escaped, whole } from '../story/page/text.js';
import type { Check } from './disk.js';
import type { ProveRecord, Round } from './record.js';

const OWN_STYLE = `
.facts dd { min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.checks + .aside, .scroll + .aside { margin-top: 0.8rem; }
`;

/** The record as one HTML file. It loads nothing from the network and runs no script. */
export function provePage(record: ProveRecord): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Killed ${record.rounds.length} times: what became of the orders</title>
<style>${STYLE}${OWN_STYLE}</style>
</head>
<body>
<header class="top">
<p class="eyebrow">Forebay ${escaped(record.forebay)}</p>
<h1>Killed ${record.rounds.length} times: what became of the orders</h1>
<p class="lead">${lead(record)}</p>
${badge(record)}
</header>
<main>
<section><dl class="key">${keyFigures(record)}</dl></section>
<section><h2>Checks</h2><ul class="checks">${record.checks.map(line).join('\n')}</ul>
<p class="aside">A kill takes the process, and not what the kernel has: it shows whether Forebay answers 200 too early, and whether a restart finds every order. Whether the
disk keeps what it was told to flush can only be seen by cutting the power of the machine.</p></section>
<section><h2>Rounds</h2>${roundsTable(record.rounds)}</section>
<section><h2>The disk</h2>${facts(diskFacts(record))}</section>
<section><h2>The run</h2>${facts(runFacts(record))}</section>
</main>
<script type="application/json" id="prove">${JSON.stringify({ ...record, verdict: { ...record.verdict, perOrder: undefined } }).replaceAll('<', '\\u003c')}</script>
</body>
</html>
`;
}

function lead({ rate, rounds, verdict, journal }: ProveRecord): string {
  const where = journal === 'local' ? 'its local journal' : 'NATS JetStream';
  const { accepted, lost, doubled } = verdict;
  const outcome =
    lost + doubled === 0
      ? 'none of them was lost, and none was doubled'
      : `${whole(lost)} of them were lost, and ${whole(doubled)} doubled`;
  return `A server with ${where} took ${rate} orders a second, and was killed ${rounds.length} times with SIGKILL. It answered ${whole(accepted)} orders with 200: ${outcome}.`;
}

function badge({ checks }: ProveRecord): string {
  const failed = checks.filter(({ ok }) => !ok).length;
  return failed === 0
    ? `<p class="badge ok">All ${checks.length} checks held</p>`
    : `<p class="badge fail">${failed} of ${checks.length} checks failed: see “Checks”</p>`;
}

function keyFigures({ verdict }: ProveRecord): string {
  const figures: [string, string, string][] = [
    [whole(verdict.accepted), 'answered 200', 'good'],
    [whole(verdict.lost), 'lost', verdict.lost > 0 ? 'bad' : 'good'],
    [whole(verdict.doubled), 'doubled', verdict.doubled > 0 ? 'bad' : 'good'],
    [whole(verdict.others.broken ?? 0), 'without an answer: their connection broke', ''],
    [whole(verdict.repeated), 'processed again: in the handler at a kill', ''],
  ];
  return figures
    .map(([value, text, look]) => `<div class="${look}"><dd>${value}</dd><dt>${text}</dt></div>`)
    .join('');
}

function line({ ok, isWarning, text }: Check): string {
  const word = ok ? (isWarning ? 'note' : 'ok') : 'FAIL';
  return `<li class="${ok ? 'ok' : 'fail'}"><b>${word}</b> <span>${escaped(text)}</span></li>`;
}

function roundsTable(rounds: readonly Round[]): string {
  const row = (round: Round, i: number) => {
    const cells = [
      `${whole(round.killedAfterMs)} ms`,
      `${whole(round.readyAfterMs)} ms`,
      whole(round.accepted),
      whole(round.unanswered),
      whole(round.otherAnswers),
      whole(round.unsent),
    ];
    return `<tr><th scope="row">${i + 1}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  };
  const heads = [
    'round',
    'killed after',
    'ready again after',
    '200',
    'no answer',
    'other',
    'not sent',
  ];
  return `<div class="scroll"><table class="figures"><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead><tbody>
${rounds.map(row).join('\n')}
</tbody></table></div>
<p class="aside">Not sent: no connection was free within 2 s, because the server was down.</p>`;
}

function diskFacts({ disk, dataFolder }: ProveRecord): [string, string][] {
  const { p50, p99, max } = disk.flushMs;
  return [
    ['data folder', dataFolder],
    ['file system', `${disk.fileSystem} on ${disk.device}`],
    ['mount options', disk.mountOptions || 'unknown'],
    ['cache of the device', disk.writeCache || 'unknown'],
    [
      'a flush of 4 KiB',
      `${p50.toFixed(3)} ms median, ${p99.toFixed(3)} ms 99 of 100, ${max.toFixed(3)} ms at most`,
    ],
  ];
}

function runFacts(record: ProveRecord): [string, string][] {
  return [
    ['taken', record.takenAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    [
      'journal',
      record.stream === '' ? record.journal : `${record.journal}, stream ${record.stream}`,
    ],
    ['an accepted order is', SURVIVES[record.durability] ?? `of class ${record.durability}`],
    ['options given', record.options.map((name) => `--${name}`).join(' ') || 'none'],
    ['seed', String(record.seed)],
    ['Node', record.node],
    ['system', record.system],
  ];
}

function facts(rows: readonly (readonly [string, string])[]): string {
  const row = ([name, value]: readonly [string, string]) =>
    `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`;
  return `<dl class="facts">${rows.map(row).join('\n')}</dl>`;
}
