import type { LiveFacts } from '../../model/live.js';
import { amount, bytes, count, duration, moment, orDash } from './format.js';
import { element, type MetricValue, nameSeries, setText, type View } from './legend.js';
import {
  bucketsOf,
  type HistogramName,
  meanPerSecond,
  type Outlook,
  outlook,
  perSecond,
  quantile,
  TREND_ROWS,
} from './statistics.js';

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
  spool: 'only on the disk of this instance',
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

/** Only for what is in use: direct mode keeps nothing, and only NATS has a spool. */
function tilesOf(facts: LiveFacts): TileSpec[] {
  const isDirect = facts.build.mode === 'direct';
  return [
    ...rateTiles(facts),
    ...(isDirect ? [] : backlogTiles(facts)),
    timeTile('Response p99', 'requestSeconds'),
    ...(isDirect ? [] : [timeTile('Commit p99', 'commitSeconds')]),
    ...(facts.drains || isDirect ? [timeTile('Handler p99', 'handlerSeconds')] : []),
    ...(isDirect ? [] : [deadLettersTile]),
    ...(facts.spools ? [spoolTile] : []),
    durabilityTile,
    ...(isDirect ? [] : [diskTile]),
    memoryTile(facts),
  ];
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
      value: ({ rows }) => `${amount(meanPerSecond(rows.slice(-TREND_ROWS), (row) => row.done))}/s`,
      note: ({ now }) => [`${count(now.done)} in total`],
    },
  ];
}

function backlogTiles({ build, drains }: LiveFacts): TileSpec[] {
  const isAlone = drains && build.journal === 'local';
  const found = ({ rows, now }: View) => outlook(rows, isAlone, now.scheduledGoneAtMs);
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
      value: (view) => timeLeft(found(view)),
      note: (view) => [outlookText(found(view))],
      tone: (view) => (['grows', 'paused'].includes(found(view).kind) ? 'warn' : ''),
    },
  ];
}

function timeLeft(found: Outlook): string {
  switch (found.kind) {
    case 'empty':
      return '0 s';
    case 'flows':
      return '< 1 s';
    case 'paused':
      return 'paused';
    case 'grows':
      return 'growing';
    case 'steady':
      return 'not shrinking';
    case 'scheduled':
    case 'shrinks':
      return duration(found.secondsLeft);
  }
}

/** The numbers that the time left is computed from. */
function outlookText(found: Outlook): string {
  switch (found.kind) {
    case 'empty':
      return 'no orders waiting';
    case 'flows':
      return 'keeping up';
    case 'paused':
      return 'no order is started';
    case 'scheduled':
      return `by ${moment(found.goneAtMs, false)}, under the schedule`;
    default:
      return `${amount(found.leaving)}/s out, ${amount(found.accepted)}/s in`;
  }
}

/** Ten seconds. */
const RECENT_ROWS = 10;

function timeTile(label: string, name: HistogramName): TileSpec {
  const time = (q: number, { rows, facts }: View) =>
    orDash(quantile(q, facts.bounds[name], bucketsOf(rows.slice(-RECENT_ROWS), name)), duration);
  return {
    label,
    value: (view) => time(0.99, view),
    note: (view) => [`p50 ${time(0.5, view)}`],
  };
}

const deadLettersTile: TileSpec = {
  label: 'Dead letters',
  series: 'forebay_dead_letters',
  value: ({ now }) => count(now.deadLetters),
  note: () => [
    'of',
    { series: 'forebay_dead_letters_max', value: ({ now }) => count(now.deadLettersMax) },
  ],
  tone: ({ now }) => (now.deadLetters > 0 ? 'bad' : ''),
};

const spoolTile: TileSpec = {
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
};

const durabilityTile: TileSpec = {
  label: 'Durability',
  series: 'forebay_durability_info',
  value: ({ now }) => now.durability.class,
  note: ({ now }) => [DURABILITY_WORDS[now.durability.class] ?? now.durability.text],
  tone: ({ now }) => (['unknown', 'spool'].includes(now.durability.class) ? 'warn' : ''),
};

/** The bounds of the alerts ForebayDiskFull and ForebayDiskFills. */
const FREE_BYTES_BAD = 256 * 1024 ** 2;
const FREE_SHARE_WARN = 0.1;

const diskTile: TileSpec = {
  label: 'Disk free',
  series: 'forebay_disk_free_bytes',
  value: ({ now }) => orDash(now.storage?.freeBytes ?? null, bytes),
  note: () => [
    'journal',
    {
      series: 'forebay_journal_bytes',
      value: ({ now }) => orDash(now.storage?.journalBytes ?? null, bytes),
    },
  ],
  tone: ({ now: { storage } }) => {
    if (storage === null) return '';
    if (storage.freeBytes < FREE_BYTES_BAD) return 'bad';
    return storage.freeBytes < FREE_SHARE_WARN * storage.sizeBytes ? 'warn' : '';
  },
};

function memoryTile({ memoryBytesMax }: LiveFacts): TileSpec {
  return {
    label: 'Memory',
    series: 'process_resident_memory_bytes',
    value: ({ now }) => bytes(now.memoryBytes),
    note: () => [`of ${bytes(memoryBytesMax)}`],
  };
}

/** Texts with more characters are shown in a smaller font. */
const LONG_TEXT = 8;
/** More tiles take two rows, of the same number if possible. */
const TILES_A_ROW_MAX = 8;

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
    const all = this.#tiles.length;
    const inRow = all <= TILES_A_ROW_MAX ? all : Math.ceil(all / 2);
    list.dataset.rows = all === inRow ? '1' : '2';
    list.style.setProperty('--tiles', String(all));
    list.style.setProperty('--tiles-in-row', String(inRow));
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
