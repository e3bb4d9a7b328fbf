import type { DrainSetting } from './drain-control.js';
import type { Durability, FileSystem } from './durability.js';

/** The journal is not the file that a server had open. */
export interface CopyFault {
  readonly text: string;
  /** False on a file system whose files can get other inode numbers when it is mounted again: then it may be no copy. */
  readonly isCertain: boolean;
}

/** What `forebay check` reads from the local journal, without changing it. */
export interface LocalFacts {
  readonly bytes: number;
  /** The orders that wait to be processed; null when unknown, see `fault`. */
  readonly waiting: WaitingOrders | null;
  readonly deadLetters: number;
  /** Rows of the tables, and records of the frame log, that are not as they were written. */
  readonly unreadable: { readonly rows: number; readonly records: number };
  /** What operators have set about the drain; null if nothing is kept. */
  readonly drain: DrainSetting | null;
  /** Null unless it is, or may be, a copy that was made while a server had the folder open. */
  readonly copyFault: CopyFault | null;
  /** A frame has a time in the future. */
  readonly isFromFuture: boolean;
  /** Why the file was not read, in one line; empty when it was read. */
  readonly fault: string;
}

interface WaitingOrders {
  readonly orders: number;
  /** Counting stopped at a limit: there are more. */
  readonly isAtLeast: boolean;
  readonly oldestAcceptedAtMs: number;
}

/** What `forebay check` finds out about the data folder, which may not exist yet. */
export interface FolderFacts {
  readonly exists: boolean;
  /** Why it cannot be created, read or written, in one line; empty when it can. */
  readonly fault: string;
  /** How to fix the fault, in one line. */
  readonly fix: string;
  readonly fileSystem: FileSystem;
  /** Free space of its file system. */
  readonly freeBytes: number;
  /** Orders are accepted above `appendBytesMin`; the server starts above `writeBytesMin`. */
  readonly appendBytesMin: number;
  readonly writeBytesMin: number;
  /** Address space that the journal maps. */
  readonly mapBytes: number;
  /** Files with what was damaged. */
  readonly setAside: number;
  /** Null when there is no journal yet. */
  readonly journal: LocalFacts | null;
}

/** One stream or consumer of the journal. */
export interface DeclaredFacts {
  readonly kind: 'stream' | 'consumer';
  readonly name: string;
  /** Its purpose, in one or two words. */
  readonly role: string;
  readonly exists: boolean;
  /** How its settings differ from those the journal needs, in words; empty when they do not. */
  readonly difference: string;
  /** Why an existing consumer delivers nothing for now, with the fix; empty when it delivers. */
  readonly pause: string;
  /** Content and limits of an existing stream; -1 is no limit. */
  readonly messages: number;
  readonly bytes: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly replicas: number;
  /** Messages delivered and not acknowledged, of an existing consumer. */
  readonly inHand: number;
}

/** What `forebay check` reads from NATS. */
export interface JetStreamFacts {
  /** The servers, without credentials. */
  readonly shown: string;
  /** Why they do not answer, in one line; empty when they do. */
  readonly fault: string;
  /**
   * What this user, account or server does not allow although the journal needs it, with the fix, in one line; empty
   * when nothing.
   */
  readonly refusal: string;
  /**
   * Why some of the connections that the threads need are refused although the first is up, in one line; empty when
   * none is.
   */
  readonly connectionsFault: string;
  readonly version: string;
  readonly declared: readonly DeclaredFacts[];
  /** Storage used by the account; a limit of -1 is no limit. */
  readonly storageBytes: number;
  readonly storageBytesMax: number;
  /** The longest message that the server accepts. */
  readonly messageBytesMax: number;
  /** The clock of the server minus the clock of this machine; null if unknown. */
  readonly clockAheadMs: number | null;
  /** Null when the servers do not answer. */
  readonly durability: Durability | null;
}
