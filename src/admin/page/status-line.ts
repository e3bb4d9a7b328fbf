import type { LiveFacts, LiveNow } from '../../model/live.js';
import { element, setText } from './readout.js';

/** The head of the page: what is running, whether it takes orders, whether we hear from it. */
export class StatusLine {
  readonly #connection = document.querySelector<HTMLElement>('#connection')!;
  readonly #readiness = document.querySelector<HTMLElement>('#readiness')!;
  readonly #reasons = document.querySelector<HTMLElement>('#reasons')!;
  readonly #build = document.querySelector<HTMLElement>('#build')!;

  introduce({ build }: LiveFacts): void {
    const journal = build.mode === 'direct' ? [] : [`${build.journal} journal`];
    const parts = [`${build.mode} mode`, ...journal, `version ${build.version}`];
    this.#build.replaceChildren(...parts.map((text) => element('li', '', text)));
  }

  connected({ reasons, degraded, rps }: LiveNow): void {
    document.body.dataset.connection = 'live';
    setText(this.#connection, 'Live');
    const ready = reasons.length === 0;
    this.#readiness.dataset.tone = ready ? (degraded.length === 0 ? 'good' : 'warn') : 'bad';
    setText(this.#readiness, ready ? 'Takes orders' : 'Takes no orders');
    const lines = [...reasons, ...degraded];
    this.#reasons.hidden = lines.length === 0;
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
