import { duration } from './format.js';
import { setText } from './legend.js';

const MINUTE_S = 60;

/** The buttons for the time shown: none is wider than the history, and the widest shows all of it. */
export class Ranges {
  readonly #inputs = [...document.querySelectorAll<HTMLInputElement>('input[name=span]')];

  /** @returns the seconds to show: exactly what the chosen button says */
  choose(historyS: number): number {
    // In whole minutes, so that a server that has just started is not shown with one wide second.
    const allS = Math.max(1, Math.ceil(historyS / MINUTE_S)) * MINUTE_S;
    const spanOf = ({ value }: HTMLInputElement) => (value === 'all' ? allS : Number(value));
    const all = this.#inputs.find(({ value }) => value === 'all')!;
    setText(all.nextElementSibling as HTMLElement, duration(allS));
    for (const input of this.#inputs) {
      const label = input.closest('label')!;
      label.hidden = input !== all && spanOf(input) >= allS;
      if (label.hidden && input.checked) all.checked = true;
    }
    return spanOf(this.#inputs.find(({ checked }) => checked)!);
  }
}
