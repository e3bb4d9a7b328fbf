import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { natsProgram } from '../../test/support/nats.js';

/** On what it was measured. */
export interface Machine {
  readonly date: string;
  readonly model: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly forebay: string;
  readonly natsServer: string;
}

export async function machine(): Promise<Machine> {
  const { stdout } = await promisify(execFile)(await natsProgram('nats-server'), ['--version']);
  const about = new URL('../../../package.json', import.meta.url);
  return {
    date: new Date().toISOString().slice(0, 10),
    model: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    forebay: JSON.parse(readFileSync(about, 'utf8')).version,
    natsServer: stdout.trim().replace(/^nats-server:\s*/, ''),
  };
}

export function machineLine({ date, cores, model, node, natsServer, kernel }: Machine): string {
  return `${date}, ${cores} cores (${model}), Linux ${kernel}, Node ${node}, nats-server ${natsServer}`;
}
