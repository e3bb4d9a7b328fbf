import type { Log } from '../model/log.js';
import type { Options } from '../model/options.js';
import type { KeysData, SendersData } from '../model/senders.js';
import { WatchedFile } from '../options/watched-file.js';
import { requireScheme } from './check-options.js';
import { type KeyLine, parseKeyFile } from './key-file.js';
import { KEY_WINDOW_MS, KeyLimits } from './key-limits.js';
import { parseSecretsFile } from './secrets-file.js';

export type SenderOptions = Pick<Options, 'apiKeys' | 'verify' | 'verifySecrets'>;

const EVENTS = { renewed: 'senders-renewed', refused: 'senders-refused' } as const;

/** Longer than the window, because timers of a busy thread and the clock of the windows differ. */
const TRANSITION_MS = KEY_WINDOW_MS + 100;

/** The files of `--api-keys` and `--verify-secrets`, in the main thread. */
export class SenderFiles {
  readonly #keyFile: WatchedFile<KeyLine[]> | null;
  readonly #secretsFile: WatchedFile<Buffer[]> | null;
  readonly #limits = new KeyLimits();
  #keys: KeysData | null;
  /** Resolves when the threads use what they were given last: the two files can change at once. */
  #given = Promise.resolve();

  /** @throws OperatorFault a file cannot be read, or used */
  constructor(options: SenderOptions, log: Log) {
    const { apiKeys, verify, verifySecrets } = options;
    this.#keyFile = apiKeys === '' ? null : openKeys(apiKeys, log);
    this.#secretsFile = verify === '' ? null : openSecrets(verify, verifySecrets, log);
    this.#keys = this.#keyFile === null ? null : this.#limits.change(this.#keyFile.value).now;
  }

  /** For a thread that starts. */
  get data(): SendersData {
    return { keys: this.#keys, secrets: this.#secretsFile?.value ?? null };
  }

  /** By label of `KeyCounts`; empty without keys. */
  get labels(): readonly string[] {
    return this.#keyFile === null ? [] : this.#limits.labels;
  }

  /** Files that have changed and are not used. */
  get refusedFiles(): number {
    return [this.#keyFile, this.#secretsFile].filter((file) => file?.isRefused).length;
  }

  get keyCount(): number {
    return this.#keyFile?.value.length ?? 0;
  }

  /** Who the keys belong to. */
  get names(): number {
    return new Set(this.#keyFile?.value.map(({ name }) => name)).size;
  }

  get secretCount(): number {
    return this.#secretsFile?.value.length ?? 0;
  }

  /** @param give resolves when all intake threads use the data */
  watch(give: (data: SendersData) => Promise<void>): void {
    const giveInTurn = () => {
      this.#given = this.#given.then(() => give(this.data));
      return this.#given;
    };
    this.#secretsFile?.watch(giveInTurn);
    this.#keyFile?.watch(async (lines) => {
      const { now, afterWindow } = this.#limits.change(lines);
      this.#keys = now;
      await giveInTurn();
      if (afterWindow === null) return;
      await new Promise((resolve) => setTimeout(resolve, TRANSITION_MS).unref());
      this.#keys = afterWindow;
      await giveInTurn();
    });
  }

  close(): void {
    this.#keyFile?.close();
    this.#secretsFile?.close();
  }
}

function openKeys(file: string, log: Log): WatchedFile<KeyLine[]> {
  const fix = 'each line needs a name and the SHA-256 of a key: forebay keys new NAME prints one';
  return new WatchedFile({ flag: '--api-keys', file, parse: parseKeyFile, fix, ...EVENTS }, log);
}

function openSecrets(verify: string, file: string, log: Log): WatchedFile<Buffer[]> {
  const scheme = requireScheme(verify);
  const parse = (text: string) => parseSecretsFile(text, (secret) => scheme.keyOf(secret));
  const fix = 'a file with one signing secret in each line, as the sender shows it';
  return new WatchedFile({ flag: '--verify-secrets', file, parse, fix, ...EVENTS }, log);
}
