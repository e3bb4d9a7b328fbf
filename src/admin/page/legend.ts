import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import type { Color } from './palette.js';

/** All that a picture is drawn from. */
export interface View {
  readonly facts: LiveFacts;
  readonly now: LiveNow;
  /** Those of the span that is shown, oldest first; at least one. */
  readonly rows: readonly LiveRow[];
  /** The one under the cursor, else the newest. */
  readonly row: LiveRow;
  readonly isNewest: boolean;
}

/** A value that /metrics has too, under this name. */
export interface Known {
  readonly series: string;
  readonly value: (view: View) => string;
}

export interface Item {
  readonly label: string;
  readonly color?: Color;
  readonly dashed?: boolean;
  /** Belongs to the second under the cursor. */
  readonly value?: (view: View) => string;
  /** Belongs to the present, wherever the cursor is. */
  readonly total?: Known;
  /** What is always 0 need not be there. */
  readonly isIdle?: (view: View) => boolean;
}

interface Shown {
  readonly item: Item;
  readonly box: HTMLElement;
  readonly value: HTMLElement | null;
  readonly total: HTMLElement | null;
}

/** A list of labelled values that doubles as the legend of a chart and as its text. */
export class Legend {
  readonly #shown: readonly Shown[];

  constructor(list: HTMLElement, items: readonly Item[]) {
    this.#shown = items.map((item) => {
      const box = element('div', 'item');
      const term = element('dt', '');
      if (item.color !== undefined) {
        const swatch = element('i', item.dashed ? 'swatch dashed' : 'swatch');
        swatch.dataset.color = item.color;
        term.append(swatch);
      }
      term.append(item.label);
      const value = item.value === undefined ? null : element('dd', 'value');
      const total = item.total === undefined ? null : element('dd', 'total');
      if (total !== null) nameSeries(total, item.total!.series);
      box.append(term, ...[value, total].filter((part) => part !== null));
      return { item, box, value, total };
    });
    list.replaceChildren(...this.#shown.map(({ box }) => box));
  }

  update(view: View): void {
    for (const { item, box, value, total } of this.#shown) {
      box.hidden = item.isIdle?.(view) ?? false;
      if (value !== null) setText(value, item.value!(view));
      if (total !== null) setText(total, item.total!.value(view));
    }
  }

  /** In one sentence, for who can't see the chart. */
  text(): string {
    return this.#shown
      .filter(({ box }) => !box.hidden)
      .map(({ item, value, total }) =>
        [item.label, value?.textContent, total && `total ${total.textContent}`]
          .filter(Boolean)
          .join(' '),
      )
      .join(', ');
  }
}

/** Marks where a value of /metrics stands; who points at it learns the name. */
export function nameSeries(place: HTMLElement, series: string): void {
  place.dataset.series = series;
  place.title = series;
}

export function element(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

/** Leaves alone what has not changed: a selection in it would be lost. */
export function setText(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
