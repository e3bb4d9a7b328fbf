import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { schema } from '../../src/options/schema.js';
import { environmentName, flagName } from '../../src/options/spec.js';
import { ROOT } from '../monitoring/rule-files.js';
import { toolPath } from '../support/program.js';
import { composeFile, type Service } from './compose-file.js';

const { services, volumes } = composeFile();
const all = Object.entries(services);

/** Runs once, as root, to give a volume to the one that uses it. */
const SETUP = 'nats-volume';
/** Their images hold nothing that could ask, or they end by themselves. */
const WITHOUT_HEALTHCHECK = [SETUP, 'prometheus-nats-exporter', 'k6'];

function longRunning(): [string, Service][] {
  return all.filter(([name]) => name !== SETUP);
}

function seconds(duration: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(duration)!;
  return Number(count) * (unit === 'm' ? 60 : 1);
}

describe('docker-compose.yml', () => {
  it('is understood by docker-compose, with each of its profiles', async (t) => {
    let program: string;
    try {
      program = await toolPath('docker-compose');
    } catch (error) {
      return t.skip((error as Error).message);
    }
    const profiles = ['--profile', 'postgres', '--profile', 'k6'];
    const run = spawnSync(program, [...profiles, 'config', '--services'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(run.stdout.trim().split('\n').sort(), Object.keys(services).sort());
  });

  it('pins every image to a full version', () => {
    for (const [name, { image }] of all) assert.match(image, /:v?\d+\.\d+(\.\d+)?(-\w+)?$/, name);
  });

  it('runs everything without root, without capabilities, and on a file system that is read-only', () => {
    for (const [name, service] of all) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    }
    for (const [name, { user, cap_add }] of longRunning()) {
      assert.match(user, /^[1-9]\d*:\d+$/, name);
      assert.equal(cap_add, undefined, name);
    }
  });

  it('bounds the CPU, memory and processes of each', () => {
    for (const [name, { cpus, mem_limit, pids_limit }] of longRunning()) {
      assert.ok(cpus! > 0 && pids_limit! > 0, name);
      assert.match(mem_limit!, /^\d+[mg]$/, name);
    }
  });

  it('asks each how it is, and waits for those that another needs', () => {
    const without = all.filter(([, { healthcheck }]) => healthcheck === undefined);
    assert.deepEqual(without.map(([name]) => name).sort(), [...WITHOUT_HEALTHCHECK].sort());
    for (const [name, { depends_on = {} }] of all) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const wanted = needed === SETUP ? 'service_completed_successfully' : 'service_healthy';
        assert.equal(condition, wanted, `${name} on ${needed}`);
      }
    }
  });

  it('publishes only orders to the network', () => {
    const open = all.flatMap(([, { ports = [] }]) => ports.filter((p) => !p.startsWith('127.')));
    assert.deepEqual(open, ['3000:3000']);
  });

  it('leaves Forebay the time for its ordered shutdown', () => {
    const { environment, stop_grace_period } = services.forebay!;
    const shutdownMsMax = Number(environment!.FOREBAY_SHUTDOWN_MS_MAX);
    assert.ok(seconds(stop_grace_period!) * 1000 >= shutdownMsMax + 5000);
  });

  it('sets no variable that Forebay does not know', () => {
    const known = Object.keys(schema).map((key) => environmentName(flagName(key)));
    const set = Object.keys(services.forebay!.environment!);
    assert.deepEqual(
      set.filter((name) => !known.includes(name)),
      [],
    );
  });

  it('mounts only files and volumes that there are', () => {
    for (const [name, service] of all) {
      for (const volume of service.volumes ?? []) {
        const [source, , mode] = volume.split(':') as [string, string, string?];
        if (!source.startsWith('./')) assert.ok(source in volumes, `${name}: ${volume}`);
        else {
          assert.equal(mode, 'ro', `${name}: ${volume}`);
          assert.ok(existsSync(join(ROOT, source)), `${name}: ${volume}`);
        }
      }
    }
  });
});
