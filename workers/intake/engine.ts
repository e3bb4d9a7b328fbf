/** Which HTTP engine a server uses, and how many threads can share its port. */
import type { EngineFactory } from '../../src/intake/http.js';
import { KEEP_ALIVE_MS_MAX } from '../../src/intake/uws/idle.js';
import { BINARY_FIX, missingServerBinary } from '../../src/intake/uws/platform.mjs';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import type { Options } from '../../src/model/options.js';
import { sharesPort } from '../../src/options/port-sharing.js';

export type EngineName = 'uws' | 'node';

export interface EngineChoice {
  readonly name: EngineName;
  /** Intake threads; 0 is the main thread. */
  readonly threads: number;
  /** One line for the operator. */
  readonly text: string;
}

/** It asks clients for a certificate, and serves those that have none. */
const NO_CLIENT_CERTIFICATES = 'uWebSockets.js cannot require client certificates (--tls-ca)';

/** @throws OperatorFault the engine that is asked for does not run here */
export async function chooseEngine(options: Options): Promise<EngineChoice> {
  const { http, threads } = options;
  if (http === 'node') return { name: 'node', threads, text: 'HTTP engine: node:http' };
  const why = options.tlsCa === '' ? await missingServerBinary() : NO_CLIENT_CERTIFICATES;
  if (why === null) {
    refuseKeepAlive(options);
    return { name: 'uws', threads, text: 'HTTP engine: uWebSockets.js' };
  }
  if (http === 'uws') {
    const fix =
      why === NO_CLIENT_CERTIFICATES ? 'use --http auto or node' : `use --http auto, ${BINARY_FIX}`;
    throw new OperatorFault(`--http uws: ${why}; fix: ${fix}`, EXIT.usage);
  }
  const text = `HTTP engine: node:http, because ${why}`;
  if (threads <= 1 || sharesPort('node')) return { name: 'node', threads, text };
  const limit = `one intake thread, because node:http can share a port between threads only since Node 23.1`;
  return { name: 'node', threads: 1, text: `${text}; ${limit}` };
}

/** @throws OperatorFault uWebSockets.js closes idle connections before */
function refuseKeepAlive({ keepAliveMs }: Options): void {
  if (keepAliveMs <= KEEP_ALIVE_MS_MAX) return;
  throw new OperatorFault(
    `--keep-alive-ms ${keepAliveMs}: uWebSockets.js closes idle connections after 8 to 12 s; fix: at most ${KEEP_ALIVE_MS_MAX}, or --http node`,
    EXIT.usage,
  );
}

/** Loads the engine, and only that one. */
export async function loadEngine(name: EngineName): Promise<EngineFactory> {
  if (name === 'node') return (await import('../../src/intake/node/engine.js')).nodeEngine;
  return (await import('../../src/intake/uws/engine.js')).uwsEngine;
}
