import type { Durability } from './durability.js';

/** What a look at the local journal found. Nothing was changed by looking. */
export interface LocalFacts {
  readonly bytes: number;
  /** What waits to be processed; null when it could not be told, see `fault`. */
  readonly waiting: WaitingOrders | null;
  readonly deadLetters: number;
  /** A frame is there whose time lies ahead of the clock. */
  readonly isFromFuture: boolean;
  /** Why the file was not read, in one line; empty when it was. */
  readonly fault: string;
}

interface WaitingOrders {
  readonly orders: number;
  /** Counting ended at a bound: there are more. */
  readonly isAtLeast: boolean;
  readonly oldestAcceptedAtMs: number;
}

/** What a look at a folder for the local journal found, whether it is there yet or not. */
export interface FolderFacts {
  readonly exists: boolean;
  /** Why it cannot be made, read or written, in one line; empty when it can. */
  readonly fault: string;
  /** Of its file system. */
  readonly freeBytes: number;
  /** Below which no order is taken, and below which a start is refused. */
  readonly appendBytesMin: number;
  readonly writeBytesMin: number;
  /** Address space that the journal maps. */
  readonly mapBytes: number;
  /** Null when there is none yet. */
  readonly journal: LocalFacts | null;
}

/** One stream or consumer of the journal. */
export interface DeclaredFacts {
  readonly kind: 'stream' | 'consumer';
  readonly name: string;
  /** What it is for. */
  readonly role: string;
  readonly exists: boolean;
  /** How it differs from what the journal relies on, in words; empty when it does not. */
  readonly difference: string;
  /** Of a stream that exists: what it holds and may hold; a limit of -1 is none. */
  readonly messages: number;
  readonly bytes: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly replicas: number;
  /** Of a consumer that exists: delivered and not acknowledged. */
  readonly inHand: number;
}

/** What a look at NATS found. */
export interface JetStreamFacts {
  /** The servers, without credentials. */
  readonly shown: string;
  /** Why they could not be asked, in one line; empty when they could. */
  readonly fault: string;
  readonly version: string;
  readonly declared: readonly DeclaredFacts[];
  /** Storage of the account, bytes; a limit of -1 is none. */
  readonly storageBytes: number;
  readonly storageBytesMax: number;
  /** The longest message that the server takes; bytes. */
  readonly messageBytesMax: number;
  /** The server's clock less this machine's, milliseconds; null when the server does not tell. */
  readonly clockAheadMs: number | null;
  /** Null when they could not be asked. */
  readonly durability: Durability | null;
}
