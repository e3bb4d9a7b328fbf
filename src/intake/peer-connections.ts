import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';

/** A look that takes longer is made in the background the next time, so that it does not hold up orders. */
const WAIT_MS_MAX = 5;
/** After a look there is none for so many times as long, so that a flood of connections cannot keep the thread busy with them. */
const PAUSE_FACTOR = 2;
/** Addresses that are counted between two looks. More bring on a look: millions of clients that come once each must not add up. */
const ADDRESSES_MAX = 10_000;

export interface PeerParts {
  readonly connectionsMax: number;
  /** Intake threads, each with one of these. */
  readonly threads: number;
  /** Where the clients connect to. */
  readonly port: () => number;
}

/**
 * Whether an address has more connections than it may. The engines do not all say whose connection has ended, and no
 * thread knows those of the others, so this asks the kernel. Between two looks it counts what this thread accepts, and looks
 * again before the threads together could exceed the limit. On a machine with ten thousands of connections, also of those
 * that have just ended, a look takes 100 ms and more: then it is made in the background, and several threads can exceed
 * the limit meanwhile.
 */
export class PeerConnections {
  readonly #parts: PeerParts;
  #seen: ReadonlyMap<string, number> = new Map();
  /** Accepted by this thread since the look, and since the one that is being made has begun. */
  #accepted = new Map<string, number>();
  #acceptedMeanwhile = new Map<string, number>();
  #isLooking = false;
  #lookMs = 0;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /** Called for each new connection, which counts. */
  readonly hasTooMany = (address: string): boolean => {
    if (address === '') return false;
    const peer = canonicalAddress(address);
    addOne(this.#accepted, peer);
    if (this.#isLooking) addOne(this.#acceptedMeanwhile, peer);
    const { connectionsMax, threads } = this.#parts;
    // The other threads may have accepted as many as this one.
    if (this.#has(peer, threads) <= connectionsMax && this.#accepted.size < ADDRESSES_MAX) {
      return false;
    }
    this.#look();
    return this.#has(peer, 1) > connectionsMax;
  };

  /** @param factor for what was accepted since the look */
  #has(peer: string, factor: number): number {
    return (this.#seen.get(peer) ?? 0) + (this.#accepted.get(peer) ?? 0) * factor;
  }

  #look(): void {
    const startedMs = performance.now();
    if (this.#isLooking || startedMs < this.#nextLookMs) return;
    this.#acceptedMeanwhile = new Map();
    if (this.#lookMs <= WAIT_MS_MAX) {
      this.#know(TABLES.map(readTable), startedMs);
      return;
    }
    this.#isLooking = true;
    void Promise.all(TABLES.map(readTableLater)).then((tables) => this.#know(tables, startedMs));
  }

  #know(tables: readonly string[], startedMs: number): void {
    this.#isLooking = false;
    this.#seen = connectionsByPeer(tables, this.#parts.port());
    this.#accepted = this.#acceptedMeanwhile;
    const endedMs = performance.now();
    this.#lookMs = endedMs - startedMs;
    this.#nextLookMs = endedMs + this.#lookMs * PAUSE_FACTOR;
  }
}

function addOne(counts: Map<string, number>, peer: string): void {
  counts.set(peer, (counts.get(peer) ?? 0) + 1);
}

/** Tables of the network namespace, see proc(5); other systems than Linux have none. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Columns of a line: number, local address, remote address, state, …, and the inode as the tenth. */
const CONNECTION =
  /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} (\w\w)(?: +\S+){5} +(\d+)/gm;
/** Established, and closed by the client. */
const OPEN_STATES = ['01', '08'];

/** Accepted connections to a local port, by the address of the client. */
function connectionsByPeer(tables: readonly string[], port: number): Map<string, number> {
  const byPeer = new Map<string, number>();
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of tables) {
    for (const [, local, remote, state, inode] of table.matchAll(CONNECTION)) {
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

async function readTableLater(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '');
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
