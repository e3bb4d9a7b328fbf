import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import { Connection } from './connection.js';
import { clock } from './format.js';
import { Page } from './page.js';
import { Rows } from './rows.js';
import { StatusLine } from './status-line.js';
import { themeButton } from './theme.js';

const rows = new Rows();
const status = new StatusLine();
let facts: LiveFacts | null = null;
let page: Page | null = null;
let now: LiveNow | null = null;

/** What the page was made for: rows of another shape, or another version's page, need a fresh one. */
function shapeOf({ build, statuses, bounds }: LiveFacts): string {
  return JSON.stringify([build.version, statuses, bounds]);
}

function onHello(told: LiveFacts): void {
  if (facts !== null && shapeOf(facts) !== shapeOf(told)) location.reload();
  if (facts?.boot === told.boot) return;
  facts = told;
  page?.close();
  page = new Page(told);
  status.introduce(told);
}

function onRows(current: LiveNow, added: readonly LiveRow[]): void {
  now = current;
  rows.append(added, facts!.historyS);
  status.connected(current);
  draw();
}

function draw(): void {
  // A page that nobody sees keeps its rows and draws them when it is looked at.
  if (page === null || now === null || document.hidden) return;
  page.show(now, rows);
}

themeButton(document.querySelector<HTMLButtonElement>('#theme')!, () => page?.recolor());
document.addEventListener('visibilitychange', draw);
document.querySelector('form')!.addEventListener('change', draw);
document.querySelector('#latency')!.addEventListener('change', draw);
new Connection('/live', {
  hello: onHello,
  rows: onRows,
  lost: (sinceMs) => status.lost(`Connection lost at ${clock(sinceMs)}. Reconnecting …`),
}).open();
