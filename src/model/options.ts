import type { TlsVersion } from './tls.js';

export const MODES = ['queue', 'direct'] as const;
export type Mode = (typeof MODES)[number];

export const HTTP_CHOICES = ['auto', 'uws', 'node'] as const;
export type HttpChoice = (typeof HTTP_CHOICES)[number];

export const LIMIT_STATUSES = ['500', '429', '503'] as const;
export type LimitStatus = (typeof LIMIT_STATUSES)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * All options, checked and frozen by `loadOptions`. Meaning, unit, range and default of each are in
 * options/schema.ts. Names follow from the property: `rpsLimit` is `--rps-limit` and `FOREBAY_RPS_LIMIT`.
 */
export interface Options {
  readonly mode: Mode;
  readonly host: string;
  readonly port: number;
  readonly listen: string;
  readonly path: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
  readonly tlsMin: TlsVersion;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly adminHosts: readonly string[];
  readonly adminTokenFile: string;
  readonly http: HttpChoice;
  readonly threads: number;
  readonly workers: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly shutdownMsMax: number;
  readonly shutdownDelayMs: number;

  readonly schema: string;
  readonly bodyDepthMax: number;
  readonly allowSlowPatterns: boolean;
  readonly rpsLimit: number;
  readonly bodyBytesMax: number;
  readonly bodyMsMax: number;
  readonly allowNoContentType: boolean;
  readonly corsOrigin: readonly string[];
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly waitingOrdersMax: number;
  readonly idempotencyS: number;
  readonly idempotencyKeysMax: number;

  readonly apiKeys: string;
  readonly limitStatus: LimitStatus;
  readonly verify: string;
  readonly verifySecrets: string;
  readonly idempotencyFrom: string;
  readonly keepHeaders: readonly string[];

  readonly commitMsMax: number;
  readonly frameOrdersMax: number;
  readonly frameBytesMax: number;
  readonly framesInFlightMax: number;

  readonly data: string;
  readonly acceptCopy: boolean;
  readonly nats: readonly string[];
  readonly natsStream: string;
  readonly natsReplicas: number;
  readonly natsMonitor: readonly string[];
  readonly natsTlsCa: string;
  readonly natsTlsCert: string;
  readonly natsTlsKey: string;
  readonly natsCreds: string;
  readonly natsNkey: string;
  readonly spoolOrdersMax: number;
  readonly spoolRate: number;
  readonly receiptsS: number;
  readonly deadMax: number;

  readonly drain: boolean;
  readonly drainRate: number;
  readonly drainSchedule: string;
  readonly lookAheadFrames: number;
  readonly batchOrdersMax: number;
  readonly batchMsTarget: number;
  readonly attemptsMax: number;
  readonly retryMsMin: number;
  readonly retryMsMax: number;

  readonly handler: string;
  readonly handlerMsMax: number;
  readonly workMs: number;
  readonly errorRate: number;
  readonly postgresUrl: string;
  readonly workerHeapMb: number;
}

/** Files that give access to NATS; an empty name is none. */
export type NatsFiles = Pick<
  Options,
  'natsTlsCa' | 'natsTlsCert' | 'natsTlsKey' | 'natsCreds' | 'natsNkey'
>;
