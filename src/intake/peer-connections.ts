import { readFileSync } from 'node:fs';

/** Looks at the kernel's table take at most one part in so many of the time. A look at 1,000 connections takes about 1 ms. */
const LOOK_SHARE = 20;

export interface PeerParts {
  readonly connectionsMax: number;
  /** Intake threads, each with one of these. */
  readonly threads: number;
  /** Connections to this port by address of the client. */
  readonly look: () => Map<string, number>;
  readonly nowMs: () => number;
}

/**
 * Whether an address has more connections than it may. The engines do not all say whose connection has ended, and no
 * thread knows those of the others, so this asks the kernel. Between two looks it counts what this thread accepts, and looks
 * again before the threads together could exceed the limit.
 */
export class PeerConnections {
  readonly #parts: PeerParts;
  #nextLookMs = Number.NEGATIVE_INFINITY;
  #seen: ReadonlyMap<string, number> = new Map();
  /** Accepted by this thread since the look. */
  #accepted = new Map<string, number>();

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /** Called for each new connection, which counts. */
  readonly hasTooMany = (address: string): boolean => {
    if (address === '') return false;
    const peer = canonicalAddress(address);
    this.#accepted.set(peer, (this.#accepted.get(peer) ?? 0) + 1);
    if (this.#mayHave(peer) <= this.#parts.connectionsMax) return false;
    if (!this.#look()) return true;
    return (this.#seen.get(peer) ?? 0) > this.#parts.connectionsMax;
  };

  /** The most that the address can have now, if every thread has accepted as many as this one. */
  #mayHave(peer: string): number {
    return (this.#seen.get(peer) ?? 0) + (this.#accepted.get(peer) ?? 0) * this.#parts.threads;
  }

  /** @returns false if the last look was a moment ago */
  #look(): boolean {
    const startedMs = this.#parts.nowMs();
    if (startedMs < this.#nextLookMs) return false;
    this.#seen = this.#parts.look();
    this.#accepted = new Map();
    const endedMs = this.#parts.nowMs();
    this.#nextLookMs = endedMs + (endedMs - startedMs) * LOOK_SHARE;
    return true;
  }
}

/** Tables of the network namespace, see proc(5); other systems than Linux have none. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Columns of a line: number, local address, remote address, state, …, and the inode as the tenth. */
const CONNECTION =
  /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} (\w\w)(?: +\S+){5} +(\d+)/gm;
/** Established, and closed by the client. */
const OPEN_STATES = ['01', '08'];

/** Accepted connections to a local port, by the address of the client. */
export function connectionsByPeer(port: number): Map<string, number> {
  const byPeer = new Map<string, number>();
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of TABLES) {
    for (const [, local, remote, state, inode] of readTable(table).matchAll(CONNECTION)) {
      // Without an inode, a connection waits to be accepted.
      if (local !== wanted || inode === '0' || !OPEN_STATES.includes(state!)) continue;
      const peer = kernelAddress(remote!);
      byPeer.set(peer, (byPeer.get(peer) ?? 0) + 1);
    }
  }
  return byPeer;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Without IPv6 there is no second table.
    return '';
  }
}

/** An address as the kernel prints it: 32-bit words in the byte order of the machine. */
function kernelAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (isLittleEndian) bytes.swap32();
  return bytes.length === 4 ? bytes.join('.') : ofGroups(bytes);
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function ofGroups(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i));
  return canonicalAddress(groups.map((group) => group.toString(16)).join(':'));
}

const MAPPED = /^(?:0+:){5}ffff:(\w+):(\w+)$/;

/** One notation for each address: eight groups of four digits for IPv6, and dots for IPv4, also if it is mapped into IPv6. */
function canonicalAddress(text: string): string {
  if (!text.includes(':')) return text;
  const dotted = /^::ffff:([\d.]+)$/i.exec(text);
  if (dotted !== null) return dotted[1]!;
  const [left = '', right] = text.toLowerCase().split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  const full = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(':');
  const mapped = MAPPED.exec(full);
  if (mapped === null) return full;
  return [mapped[1]!, mapped[2]!].flatMap((group) => [...Buffer.from(group, 'hex')]).join('.');
}
