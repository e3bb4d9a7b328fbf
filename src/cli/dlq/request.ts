import type { Options } from '../../model/options.js';

/** Which dead letters are meant. */
export type Selection =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | { readonly by: 'all' }
  /** Those whose reason contains the text. */
  | { readonly by: 'reason'; readonly text: string };

export interface ListRequest {
  readonly do: 'list';
  readonly selection: Selection;
  readonly limit: number;
  readonly json: boolean;
}

export interface ShowRequest {
  readonly do: 'show';
  readonly orderId: string;
  readonly json: boolean;
}

export interface ReplayRequest {
  readonly do: 'replay';
  readonly selection: Selection;
  readonly dryRun: boolean;
  /** Orders in any second; 0 for no bound. */
  readonly rate: number;
}

export interface DropRequest {
  readonly do: 'drop';
  readonly selection: Selection;
  readonly dryRun: boolean;
}

export type DlqRequest = ListRequest | ShowRequest | ReplayRequest | DropRequest;

/** Where the journal is. */
export type JournalOptions = Pick<Options, 'data' | 'nats' | 'natsStream'>;
