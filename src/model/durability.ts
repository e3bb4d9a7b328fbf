/**
 * What an accepted order survives: `fsync` a power cut, `replicated` the loss of a server (a majority of
 * the replicas has it, in memory or on disk), `os` the death of the server's process, but not of its
 * machine; `none` nothing, for it is processed already, or in the memory of one server. `unknown` until the journal has answered.
 */
export type DurabilityClass = 'fsync' | 'replicated' | 'os' | 'none' | 'unknown';

/** The guarantee in force. */
export interface Durability {
  readonly class: DurabilityClass;
  /** Servers that keep every frame. */
  readonly replicas: number;
  /** In one line for the operator: what holds, and how it is known. */
  readonly text: string;
  /** How to have more; empty where there is nothing to say. */
  readonly remedy: string;
}

/** Direct mode: an order that was answered 200 is processed, and nothing of it is kept. */
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
