import type { LoggedEvent } from '../../model/log.js';
import { clock, count } from './format.js';
import { element } from './legend.js';

/** The latest lines of the log, newest first. */
export class LogList {
  readonly #list: HTMLElement;
  readonly #empty: HTMLElement;

  constructor(panel: HTMLElement) {
    this.#list = panel.querySelector<HTMLElement>('ol')!;
    this.#empty = panel.querySelector<HTMLElement>('.nothing')!;
  }

  /** @param events oldest first */
  show(events: readonly LoggedEvent[]): void {
    this.#empty.hidden = events.length > 0;
    this.#list.replaceChildren(...events.toReversed().map(entry));
  }
}

function entry({ atMs, level, event, line, facts, leftOut }: LoggedEvent): HTMLElement {
  const box = element('li', '');
  box.dataset.level = level;
  const time = element('time', '', clock(atMs));
  time.setAttribute('datetime', new Date(atMs).toISOString());
  const repeats = leftOut === 0 ? '' : ` (${count(leftOut)} more like this left out)`;
  const text = element('span', 'line', `${line}${repeats} `);
  text.append(element('span', 'facts', facts));
  box.append(time, element('span', 'level', level), element('span', 'event', event), text);
  return box;
}
