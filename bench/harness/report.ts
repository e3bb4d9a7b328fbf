import type { Durability } from '../contestants/contestant.js';
import type { Machine } from './machine.js';

/** The figures of one contestant under one load. CPU time is user and system. */
export interface Figures {
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Responses other than 200 and socket errors, warm-up included. */
  readonly errors: number;
  /** Orders processed per second of load; 0 without a drain. */
  readonly donePerSecond: number;
  /** CPU time of the process that serves HTTP, microseconds per order. */
  readonly httpCpuUs: number;
  /** The same of each process behind it, by name. */
  readonly behindCpuUs: Readonly<Record<string, number>>;
  /** Cores that the process that serves HTTP used. */
  readonly httpCores: number;
  /** CPU time of wrk as a share of one core. */
  readonly generatorRatio: number;
  /** Peak resident memory of each process. */
  readonly httpMb: number;
  readonly behindMb: Readonly<Record<string, number>>;
  readonly readyMs: number;
  /** Time that the hypervisor gave to other machines, as a share of all cores. */
  readonly stealRatio: number;
  /** Time that the kernel and processes other than the servers and wrk used, as a share of all cores. */
  readonly othersRatio: number;
}

export interface Case {
  readonly connections: number;
  /** The name of a body. */
  readonly body: string;
  /** Orders in a request; 1: orders are sent one by one. */
  readonly batch: number;
}

export function caseKey({ connections, body, batch }: Case): string {
  return `${connections} ${body} ${batch}`;
}

export function caseTitle({ connections, body, batch }: Case): string {
  const orders = batch === 1 ? '' : `, batches of ${batch}`;
  return `${connections.toLocaleString('en')} connections, ${body} body${orders}`;
}

export interface Measured extends Case {
  readonly contestant: string;
  /** From 1. */
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
  /** One line, with the fix if there is one. */
  readonly reason: string;
  /** It was started and failed. */
  readonly isFailure: boolean;
}

/** The result of a run. Tables, pages and the chart are generated from it. */
export interface Report {
  readonly takenAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUpS: number;
    /** Which cores wrk and the servers had. */
    readonly pinning: string;
    readonly pinningFault: string;
    /** How many of them the servers had. */
    readonly serverCores: number;
    /** Values of --only; empty: all. */
    readonly only: readonly string[];
  };
  readonly cases: readonly Case[];
  readonly entrants: readonly Entrant[];
  readonly leftOut: readonly LeftOut[];
  readonly measured: readonly Measured[];
}

/** As it is saved: numbers have six digits, more than the accuracy of any measurement. */
export function reportText(report: Report): string {
  const short = (_key: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(report, short, 2)}\n`;
}

/** NaN stands for what this machine cannot measure. JSON has no NaN, so it is saved as null. */
export function readReport(text: string): Report {
  return JSON.parse(text, (_key, value) => (value === null ? Number.NaN : value));
}
