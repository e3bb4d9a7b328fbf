/**
 * Which failures an accepted order survives.
 * - `fsync`: a power cut
 * - `replicated`: the loss of a server; a majority of the replicas has the order, in memory or on disk
 * - `os`: a crash of the server process, but not of its machine
 * - `none`: none, because the order is already processed, or in the memory of one server
 * - `unknown`: the journal has not answered yet
 */
export type DurabilityClass = 'fsync' | 'replicated' | 'os' | 'none' | 'unknown';

/** The guarantee in force. */
export interface Durability {
  readonly class: DurabilityClass;
  /** Servers that store every frame. */
  readonly replicas: number;
  /** One line for the operator: what the guarantee is, and how it is known. */
  readonly text: string;
  /** How to get a stronger guarantee; empty if there is nothing to do. */
  readonly remedy: string;
}

/** Direct mode: an order that was answered 200 is processed, and nothing is stored. */
export const DIRECT_DURABILITY: Durability = {
  class: 'none',
  replicas: 0,
  text: 'accepted means processed',
  remedy: '',
};

export const LOCAL_DURABILITY: Durability = {
  class: 'fsync',
  replicas: 1,
  text: 'local journal: accepted means on disk, fsynced before the answer',
  remedy: '',
};
