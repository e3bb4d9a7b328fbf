import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import { Connection } from './connection.js';
import { DrainControlPanel } from './drain-control.js';
import { clock, duration } from './format.js';
import { element, setText } from './legend.js';
import { LogList } from './log-list.js';
import { Page } from './page.js';
import { Rows } from './rows.js';
import { leaveIfLoggedOut, offerLogout } from './session.js';
import { themeButton } from './theme.js';

/** The head of the page: what is running, whether it accepts orders, and the state of the connection. */
class StatusLine {
  readonly #connection = document.querySelector<HTMLElement>('#connection')!;
  readonly #readiness = document.querySelector<HTMLElement>('#readiness')!;
  readonly #reasons = document.querySelector<HTMLElement>('#reasons')!;
  readonly #build = document.querySelector<HTMLElement>('#build')!;

  readonly #uptime = element('li', '');

  introduce({ build, host }: LiveFacts): void {
    const journal = build.mode === 'direct' ? [] : [`${build.journal} journal`];
    const parts = [
      `POST ${build.path}`,
      `${build.mode} mode`,
      ...journal,
      `version ${build.version}`,
      `host ${host}`,
    ];
    this.#build.replaceChildren(...parts.map((text) => element('li', '', text)), this.#uptime);
  }

  /** By the clock of the server alone, which may differ from that of the viewer. */
  showUptime({ startedAtMs }: LiveFacts, newestMs: number): void {
    setText(
      this.#uptime,
      `up ${duration(Math.max(0, Math.floor((newestMs - startedAtMs) / 1000)))}`,
    );
  }

  connected({ reasons, degraded, rps }: LiveNow): void {
    document.body.dataset.connection = 'live';
    setText(this.#connection, 'Live');
    const ready = reasons.length === 0;
    this.#readiness.dataset.tone = ready ? (degraded.length === 0 ? 'good' : 'warn') : 'bad';
    setText(this.#readiness, ready ? 'Accepting orders' : 'Not accepting orders');
    const lines = [...reasons, ...degraded];
    this.#reasons.hidden = lines.length === 0;
    this.#reasons.dataset.tone = ready ? 'warn' : 'bad';
    setText(this.#reasons, lines.join(' · '));
    document.title = `${rps}/s · Forebay`;
  }

  lost(text: string): void {
    this.#reasons.hidden = true;
    document.body.dataset.connection = 'lost';
    setText(this.#connection, text);
    document.title = 'Not connected · Forebay';
  }
}

const rows = new Rows();
const status = new StatusLine();
const log = new LogList(document.querySelector<HTMLElement>('#log')!);
const drain = new DrainControlPanel(document.querySelector<HTMLElement>('#drain')!);
let facts: LiveFacts | null = null;
let page: Page | null = null;
let now: LiveNow | null = null;

/** The page must be loaded again if the server's version or the shape of its rows changes. */
function shapeOf({ build, statuses, bounds }: LiveFacts): string {
  return JSON.stringify([build.version, statuses, bounds]);
}

function onHello(received: LiveFacts): void {
  if (facts !== null && shapeOf(facts) !== shapeOf(received)) location.reload();
  if (facts?.boot === received.boot) return;
  facts = received;
  page?.close();
  page = new Page(received);
  status.introduce(received);
}

function onRows(current: LiveNow, added: readonly LiveRow[]): void {
  now = current;
  rows.append(added, facts!.historyS);
  status.connected(current);
  status.showUptime(facts!, rows.all.at(-1)!.atMs);
  draw();
}

function draw(): void {
  // A hidden page keeps its rows and draws them when it becomes visible.
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
  log: (events) => log.show(events),
  drain: (view) => drain.show(view),
  lost: (sinceMs) => {
    status.lost(`Connection lost at ${clock(sinceMs)}. Reconnecting …`);
    void leaveIfLoggedOut();
  },
}).open();
void offerLogout(document.querySelector<HTMLButtonElement>('#logout')!);
