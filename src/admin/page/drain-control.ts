import type { DrainView, InstanceView } from '../../model/drain-view.js';
import { count, moment } from './format.js';
import { element, setText } from './legend.js';
import { leaveIfLoggedOut } from './session.js';

/** Shows rate and pause of the drain, who set them, and the instances; and changes them. */
export class DrainControlPanel {
  readonly #panel: HTMLElement;
  readonly #state = element('p', 'state');
  readonly #who = element('p', 'note');
  readonly #due = element('p', 'note');
  readonly #instances = element('ul', 'instances');
  readonly #message = element('p', 'message');
  readonly #controls = element('div', 'controls');
  readonly #rate = field('rate', 'New rate, orders per second; 0 is no limit');
  readonly #why = field('why', 'Why it is paused');
  readonly #pauseForm: HTMLFormElement;
  readonly #resume = button('Resume');
  readonly #follow = button('Back to schedule');
  #shown = '';

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#rate.inputMode = 'numeric';
    this.#rate.pattern = '[0-9]{1,7}';
    this.#rate.title = 'Orders per second, 0 is no limit';
    this.#why.placeholder = 'why';
    this.#why.maxLength = 200;
    this.#message.setAttribute('role', 'status');
    const rateForm = form('orders/s', this.#rate, submit('Set rate'), () =>
      this.#send({ rate: Number(this.#rate.value) }),
    );
    this.#pauseForm = form('', this.#why, submit('Pause'), () =>
      this.#send({ pause: this.#why.value }),
    );
    this.#resume.addEventListener('click', () => void this.#send({ pause: null }));
    this.#follow.addEventListener('click', () => void this.#send({ rate: 'schedule' }));
    this.#controls.append(rateForm, this.#pauseForm, this.#resume, this.#follow);
    const facts = element('div', 'facts');
    facts.append(element('h2', '', 'Drain'), this.#state, this.#who, this.#due);
    panel.replaceChildren(facts, this.#controls, this.#message, this.#instances);
  }

  show(view: DrainView): void {
    this.#panel.hidden = false;
    const text = JSON.stringify(view);
    if (text === this.#shown) return;
    this.#shown = text;
    const isPaused = view.pause !== null;
    this.#panel.dataset.tone = isPaused ? 'warn' : 'good';
    setText(this.#state, stateText(view));
    setText(this.#who, `set by ${view.by} at ${moment(Date.parse(view.at))}`);
    setText(this.#due, dueText(view));
    this.#rate.placeholder = String(view.rate);
    this.#controls.hidden = !view.takesChanges;
    this.#pauseForm.hidden = isPaused;
    this.#resume.hidden = !isPaused;
    this.#follow.hidden = view.scheduled === null || view.followsSchedule;
    if (!view.takesChanges)
      this.#say('Changes need a token: start the server with --admin-token-file.');
    this.#instances.replaceChildren(...view.instances.map(instance));
  }

  async #send(change: object): Promise<void> {
    this.#say('');
    for (const one of this.#panel.querySelectorAll('button')) one.disabled = true;
    try {
      const response = await fetch('/drain', {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(change),
      });
      const answer = (await response.json()) as DrainView & { readonly reason?: string };
      if (response.ok) {
        this.#rate.value = '';
        this.#why.value = '';
        this.show(answer);
      } else {
        this.#say(`Not changed: ${answer.reason ?? response.status}`);
        if (response.status === 401) await leaveIfLoggedOut();
      }
    } catch {
      this.#say('Not known whether it changed: the server does not answer.');
    } finally {
      for (const one of this.#panel.querySelectorAll('button')) one.disabled = false;
    }
  }

  #say(text: string): void {
    setText(this.#message, text);
  }
}

function stateText({ rate, pause, followsSchedule, instances }: DrainView): string {
  const limit = rate === 0 ? 'No limit' : `${count(rate)} orders/s`;
  const over = instances.length > 1 ? ` over ${instances.length} instances` : '';
  const origin = followsSchedule ? ', by the schedule' : '';
  return pause === null ? `${limit}${over}${origin}` : `Paused: ${pause} (then ${limit}${over})`;
}

function dueText({ scheduled, doneAt, backlog }: DrainView): string {
  const parts: string[] = [];
  if (scheduled !== null) {
    const { rate, until } = scheduled;
    const text = rate === 'paused' ? rate : rate === 0 ? 'no limit' : `${count(rate)} orders/s`;
    parts.push(`schedule: ${text} until ${moment(Date.parse(until))}`);
  }
  if (backlog !== null && backlog > 0) {
    const due = doneAt === null ? '' : `, done at ${moment(Date.parse(doneAt))}`;
    parts.push(`backlog: ${count(backlog)}${due}`);
  }
  return parts.join(' · ');
}

function instance({ host, pid, share, isSelf }: InstanceView): HTMLElement {
  const box = element('li', isSelf ? 'self' : '');
  box.append(
    element('span', 'host', host),
    element('span', 'pid', `process ${pid}${isSelf ? ', this one' : ''}`),
    element('span', 'share', share === null ? 'no limit' : `${count(share)}/s`),
  );
  return box;
}

function field(id: string, label: string): HTMLInputElement {
  const input = document.createElement('input');
  input.id = `drain-${id}`;
  input.required = true;
  input.autocomplete = 'off';
  input.setAttribute('aria-label', label);
  return input;
}

function button(text: string): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  return made;
}

function submit(text: string): HTMLButtonElement {
  const made = button(text);
  made.type = 'submit';
  return made;
}

function form(
  unit: string,
  input: HTMLInputElement,
  go: HTMLButtonElement,
  send: () => Promise<void>,
): HTMLFormElement {
  const made = document.createElement('form');
  made.append(input, ...(unit === '' ? [] : [element('span', 'note', unit)]), go);
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  return made;
}
