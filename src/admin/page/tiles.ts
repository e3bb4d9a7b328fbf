import type { LiveFacts } from '../../model/live.js';
import { amount, count, duration, orDash } from './format.js';
import { element, type MetricValue, nameSeries, setText, type View } from './legend.js';
import { outlookText } from './panels.js';
import { bucketsOf, outlook, perSecond, quantile } from './statistics.js';

type Tone = '' | 'good' | 'warn' | 'bad';

/** One number at the top of the page, always the current value. */
interface TileSpec {
  readonly label: string;
  readonly value: (view: View) => string;
  /** The series of the value in /metrics. */
  readonly series?: string;
  readonly note: (view: View) => readonly (string | MetricValue)[];
  readonly tone?: (view: View) => Tone;
}

/** What an order survives once it has been answered with 200. */
const DURABILITY_WORDS: Readonly<Record<string, string>> = {
  fsync: 'survives a power cut',
  replicated: 'survives the loss of a server',
  os: 'survives a crash of the process only',
  none: 'processed before the response',
  unknown: 'not reported by the journal',
};

function refusals({ facts, rows }: View): { perSecond: number; share: number } {
  const row = rows.at(-1)!;
  const refused = facts.statuses.reduce(
    (sum, status, i) => sum + (status >= 500 ? row.answers[i] : 0),
    0,
  );
  const all = row.answers.reduce((sum, answers) => sum + answers, 0);
  return { perSecond: perSecond(refused, row), share: all === 0 ? 0 : refused / all };
}

function tilesOf(facts: LiveFacts): TileSpec[] {
  return [...rateTiles(facts), ...backlogTiles(facts), latencyTile, ...journalTiles];
}

function rateTiles({ rpsLimit }: LiveFacts): TileSpec[] {
  return [
    {
      label: 'Requests',
      series: 'forebay_rps',
      value: ({ now }) => `${count(now.rps)}/s`,
      note: () => [rpsLimit === 0 ? 'no limit' : `limit ${count(rpsLimit)}/s`],
      tone: ({ now }) => (rpsLimit > 0 && now.rps > rpsLimit ? 'bad' : ''),
    },
    {
      label: 'Refused',
      value: (view) => `${amount(refusals(view).perSecond)}/s`,
      note: (view) => [`${amount(refusals(view).share * 100)} % of responses`],
      tone: (view) => (refusals(view).perSecond > 0 ? 'bad' : 'good'),
    },
    {
      label: 'Work done',
      value: ({ rows }) => `${amount(perSecond(rows.at(-1)!.done, rows.at(-1)!))}/s`,
      note: ({ now }) => [`${count(now.done)} in total`],
    },
  ];
}

function backlogTiles({ build }: LiveFacts): TileSpec[] {
  return [
    {
      label: 'Backlog',
      series: 'forebay_journal_pending_orders',
      value: ({ now }) => count(now.pendingOrders),
      note: () => [
        'oldest',
        {
          series: 'forebay_journal_oldest_age_seconds',
          value: ({ now }) => duration(now.oldestAgeSeconds),
        },
      ],
    },
    {
      label: 'Time left to drain',
      value: ({ rows }) => {
        const found = outlook(rows);
        if (found.kind === 'empty') return '0 s';
        if (found.kind === 'flows') return '< 1 s';
        if (found.kind === 'grows') return 'growing';
        return found.kind === 'shrinks' ? duration(found.secondsLeft) : 'not shrinking';
      },
      note: ({ rows }) => [build.mode === 'direct' ? 'no queue' : outlookText(outlook(rows))],
      tone: ({ rows }) => (outlook(rows).kind === 'grows' ? 'warn' : ''),
    },
  ];
}

const latencyTile: TileSpec = {
  label: 'Response time, p99',
  value: ({ rows, facts }) =>
    orDash(quantile(0.99, facts.bounds.requestSeconds, recent(rows)), duration),
  note: ({ rows, facts }) => [
    `p50 ${orDash(quantile(0.5, facts.bounds.requestSeconds, recent(rows)), duration)}`,
  ],
};

const journalTiles: readonly TileSpec[] = [
  {
    label: 'Dead letters',
    series: 'forebay_dead_letters',
    value: ({ now }) => count(now.deadLetters),
    note: () => [
      'of',
      { series: 'forebay_dead_letters_max', value: ({ now }) => count(now.deadLettersMax) },
    ],
    tone: ({ now }) => (now.deadLetters > 0 ? 'bad' : ''),
  },
  {
    label: 'Spool',
    series: 'forebay_spool_orders',
    value: ({ now }) => count(now.spoolOrders),
    note: () => [
      {
        series: 'forebay_spool_forwarded_orders_total',
        value: ({ now }) => count(now.forwarded),
      },
      'of',
      { series: 'forebay_spooled_orders_total', value: ({ now }) => count(now.spooled) },
      'forwarded',
    ],
    tone: ({ now }) => (now.spoolOrders > 0 ? 'warn' : ''),
  },
  {
    label: 'Durability',
    series: 'forebay_durability_info',
    value: ({ now }) => now.durability.class,
    note: ({ now }) => [DURABILITY_WORDS[now.durability.class] ?? now.durability.text],
    tone: ({ now }) => (now.durability.class === 'unknown' ? 'warn' : ''),
  },
];

/** Texts with more characters are shown in a smaller font. */
const LONG_TEXT = 8;
/** Ten seconds. */
const RECENT_ROWS = 10;

function recent(rows: View['rows']): number[] {
  return bucketsOf(rows.slice(-RECENT_ROWS), 'requestSeconds');
}

/** The numbers at the top. */
export class Tiles {
  readonly #tiles: readonly {
    spec: TileSpec;
    box: HTMLElement;
    value: HTMLElement;
    note: HTMLElement;
  }[];

  constructor(list: HTMLElement, facts: LiveFacts) {
    this.#tiles = tilesOf(facts).map((spec) => {
      const box = element('div', 'tile');
      const value = element('dd', 'figure');
      if (spec.series !== undefined) nameSeries(value, spec.series);
      const note = element('dd', 'note');
      box.append(element('dt', '', spec.label), value, note);
      return { spec, box, value, note };
    });
    list.replaceChildren(...this.#tiles.map(({ box }) => box));
  }

  update(view: View): void {
    for (const { spec, box, value, note } of this.#tiles) {
      const text = spec.value(view);
      setText(value, text);
      value.classList.toggle('long', text.length > LONG_TEXT);
      box.dataset.tone = spec.tone?.(view) ?? '';
      updateNote(note, spec.note(view), view);
    }
  }
}

function updateNote(note: HTMLElement, parts: readonly (string | MetricValue)[], view: View): void {
  const texts = parts.map((part) => (typeof part === 'string' ? part : part.value(view)));
  if (note.textContent === texts.join(' ')) return;
  note.replaceChildren(
    ...parts.flatMap((part, i) => {
      const text = texts[i];
      if (typeof part === 'string') return i === 0 ? [text] : [' ', text];
      const place = element('span', 'number', text);
      nameSeries(place, part.series);
      return i === 0 ? [place] : [' ', place];
    }),
  );
}
