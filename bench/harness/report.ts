import type { Durability } from '../contestants/contestant.js';
import type { Machine } from './machine.js';

/** What one contestant did under one load. Processor time is user and system. */
export interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200 and errors of sockets, in the warm-up too. */
  readonly errors: number;
  /** Processed while the load ran, a second; 0 where nothing is processed. */
  readonly donePerSecond: number;
  /** Of the process that speaks HTTP, microseconds an order. */
  readonly httpCpuUs: number;
  /** Of each server behind it, microseconds an order. */
  readonly behindCpuUs: Readonly<Record<string, number>>;
  /** Cores that the process that speaks HTTP used. */
  readonly httpCores: number;
  /** Processor time of the generator, as a share of one core. */
  readonly generatorRatio: number;
  /** The most memory that each process held. */
  readonly httpMb: number;
  readonly behindMb: Readonly<Record<string, number>>;
  readonly readyMs: number;
  /** Time that the hypervisor gave to others, as a share of all cores. */
  readonly stealRatio: number;
}

export interface Case {
  readonly connections: number;
  /** Its name. */
  readonly body: string;
}

export interface Measured extends Case {
  readonly contestant: string;
  /** From 1 on. */
  readonly round: number;
  readonly figures: Figures;
}

export interface Entrant {
  readonly name: string;
  readonly kind: string;
  readonly durability: Durability;
  readonly about: string;
}

export interface LeftOut {
  readonly name: string;
  /** In one line, with the remedy where there is one. */
  readonly reason: string;
  /** It was there, and broke. */
  readonly isFailure: boolean;
}

/** All that a run leaves behind. Medians, verdicts, pages and pictures are made from it. */
export interface Report {
  readonly takenAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUpS: number;
    /** Which cores generator and servers had, in words. */
    readonly pinning: string;
    readonly pinningFault: string;
    /** Parts of the names of those that were asked for; none: all. */
    readonly only: readonly string[];
  };
  readonly cases: readonly Case[];
  readonly entrants: readonly Entrant[];
  readonly leftOut: readonly LeftOut[];
  readonly measured: readonly Measured[];
}

/** As it is kept: with six digits of each number, more than was measured. */
export function reportText(report: Report): string {
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(report, short, 2)}\n`;
}

/** JSON has no NaN, which stands for what this machine does not tell; it writes null. */
export function readReport(text: string): Report {
  return JSON.parse(text, (_key, value) => (value === null ? Number.NaN : value));
}
