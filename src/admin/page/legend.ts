import type { LiveFacts, LiveNow, LiveRow } from '../../model/live.js';
import type { Color } from './palette.js';

/** The data that the page is drawn from. */
export interface View {
  readonly facts: LiveFacts;
  readonly now: LiveNow;
  /** The rows of the time shown, oldest first; at least one. */
  readonly rows: readonly LiveRow[];
  /** The row under the cursor, or the newest. */
  readonly row: LiveRow;
  readonly isNewest: boolean;
}

/** A value that is also in /metrics, under the name `series`. */
export interface MetricValue {
  readonly series: string;
  readonly value: (view: View) => string;
}

export interface Item {
  readonly label: string;
  readonly color?: Color;
  readonly dashed?: boolean;
  /** Value of the second under the cursor. */
  readonly value?: (view: View) => string;
  /** Current value, wherever the cursor is. */
  readonly total?: MetricValue;
  /** Whether to hide the item, because its value has always been 0. */
  readonly isIdle?: (view: View) => boolean;
}

interface Shown {
  readonly item: Item;
  readonly box: HTMLElement;
  readonly value: HTMLElement | null;
  readonly total: HTMLElement | null;
}

/** A list of labelled values: the legend of a chart, and its text for screen readers. */
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

  /** The values in one sentence, for screen readers. */
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

/** Marks an element that shows a value of /metrics; its tooltip is the name of the series. */
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

/** Does not touch unchanged text, so that a selection in it is kept. */
export function setText(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
