/**
 * What an accepted order survives: `fsync` a power cut, `replicated` the loss of a server (a majority of
 * the replicas has it, in memory or on disk), `os` the death of the server's process, but not of its
 * machine; `none` nothing, for it is processed already. `unknown` until the journal has answered.
 */
export type DurabilityClass = 'fsync' | 'replicated' | 'os' | 'none' | 'unknown';

/** The guarantee in force. */
export interface Durability {
  readonly class: DurabilityClass;
  /** Servers that keep every frame. */
  readonly replicas: number;
  /** In one line for the operator: what holds, and how it is known. */
  readonly text: string;
}
