/**
 * Which failures an accepted order survives.
 * - `fsync`: a power cut
 * - `replicated`: the loss of a server; a majority of the replicas has the order, in memory or on disk
 * - `os`: a crash of the server process, but not of its machine
 * - `none`: none, because the order is already processed, or in the memory of one machine
 * - `spool`: a power cut, but not the loss of this machine: NATS takes no orders, so they go to the disk of this instance
 * - `unknown`: the journal has not answered yet
 */
export type DurabilityClass = 'fsync' | 'replicated' | 'os' | 'none' | 'spool' | 'unknown';

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

/** While orders go to the spool. @param why in one line */
export function spoolDurability(why: string): Durability {
  return {
    class: 'spool',
    replicas: 1,
    text: `spool: accepted means on the disk of this instance, fsynced before the answer, until NATS takes it; ${why}`,
    remedy: '',
  };
}

/** What a file system does with a flushed write. */
export type StorageKind = 'disk' | 'memory' | 'overlay' | 'network' | 'fuse';

/** Where the data folder is. */
export interface FileSystem {
  readonly name: string;
  readonly kind: StorageKind;
}

const DISK = 'name a folder on a local disk with --data';

/** Why a data folder may lose orders that were flushed, and how to fix it. Null on a disk. */
export function storageRisk({ name, kind }: FileSystem): { what: string; fix: string } | null {
  switch (kind) {
    case 'memory':
      return {
        what: `${name} is memory: a power cut, or the end of the container, loses it`,
        fix: DISK,
      };
    case 'overlay':
      return {
        what: `${name} is the layer of a container: it is deleted with the container`,
        fix: 'mount a volume, and name it with --data',
      };
    case 'network':
      return {
        what: `${name} is a network file system: whether a flush reaches a disk depends on its server, and two machines can lock one folder`,
        fix: DISK,
      };
    case 'fuse':
      return { what: `${name}: whether a flush reaches a disk depends on a program`, fix: DISK };
    case 'disk':
      return null;
  }
}

export function localDurability(fileSystem: FileSystem): Durability {
  const risk = storageRisk(fileSystem);
  const isMemory = fileSystem.kind === 'memory';
  const text = isMemory
    ? `local journal: accepted means in memory (${fileSystem.name}), not on disk`
    : 'local journal: accepted means on disk, fsynced before the answer';
  return {
    class: isMemory ? 'none' : 'fsync',
    replicas: 1,
    text: risk === null || isMemory ? text : `${text}; ${risk.what}`,
    remedy: risk?.fix ?? '',
  };
}
