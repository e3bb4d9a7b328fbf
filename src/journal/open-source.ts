import type { RememberedKey } from '../contract/frame.js';
import type { Source } from '../contract/journal.js';
import type { Options } from '../contract/options.js';

export interface SourceParts {
  /** Ids for frames that are filed again; sort by time like those of fresh frames. */
  readonly newFrameId: () => string;
  /** Orders committed by all appenders of this process, ever rising. */
  readonly acceptedOrders: () => number;
  /** One line for the operator. */
  readonly log: (line: string) => void;
}

export interface OpenSource {
  readonly source: Source;
  /** Tells the source that one of this process's appenders has committed. */
  readonly onCommitted: () => void;
  /** Resolves when the journal first answers; rejects with an OperatorFault when it never will. */
  readonly ready: Promise<void>;
  /** The idempotency keys of orders accepted since then, epoch milliseconds; to be read before intake listens. */
  readonly keys: (sinceMs: number) => Iterable<RememberedKey> | AsyncIterable<RememberedKey>;
}

/** The journal that the options ask for, as the drain reads it; not for direct mode, which has none. */
export async function openSource(options: Options, parts: SourceParts): Promise<OpenSource> {
  if (options.nats.length > 0) {
    const { openJetStreamSource } = await import('./jetstream-open.js');
    const place = { servers: options.nats, stream: options.natsStream };
    const source = openJetStreamSource(place, parts);
    return { source, onCommitted: () => {}, ready: source.ready, keys: () => [] };
  }
  const { openLocalSource } = await import('./local-open.js');
  const source = openLocalSource(options.data, parts);
  return {
    source,
    onCommitted: () => source.ring(),
    ready: Promise.resolve(),
    keys: (sinceMs) => source.keys(sinceMs),
  };
}
