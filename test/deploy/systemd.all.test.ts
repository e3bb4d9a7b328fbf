import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadOptions } from '../../src/options/load.js';

const UNIT = fileURLToPath(new URL('../../../deploy/systemd/forebay.service', import.meta.url));
/** Of 100: what systemd-analyze calls OK ends at 40. */
const EXPOSURE_MAX = 25;

const version = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
/** `security --offline` came with systemd 250. */
const major = Number(/^systemd (\d+)/.exec(version.stdout ?? '')?.[1] ?? 0);
const skip = major >= 250 ? false : 'no systemd-analyze 250 or later';

const text = readFileSync(UNIT, 'utf8');

function setting(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(text)![1]!;
}

/** Each line of the output that names the unit is a fault, also where the exit code is 0. */
function verify(unit: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-unit-'));
  try {
    const file = join(folder, 'forebay.service');
    // The program of the machine that tests it.
    writeFileSync(file, unit.replace('/usr/bin/node', process.execPath));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    const own = stderr.split('\n').filter((line) => line.includes('forebay.service'));
    return status === 0 && own.length === 0 ? '' : `${status} ${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the systemd unit', { skip }, () => {
  it('passes systemd-analyze verify', () => {
    assert.equal(verify(text), '');
    assert.notEqual(verify(text.replace('ProtectHome=yes', 'ProtectHom=yes')), '');
  });

  it(`exposes at most ${EXPOSURE_MAX} of 100, as systemd-analyze security counts`, () => {
    const args = ['security', '--offline=true', `--threshold=${EXPOSURE_MAX}`, '--no-pager', UNIT];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });

  it('starts with options that Forebay accepts, and waits for its ordered shutdown', () => {
    const [, given] = setting('ExecStart').split(' serve ');
    const args = given!
      .split(' ')
      .filter((arg) => arg !== '--config' && arg !== '/etc/forebay.json');
    const { data, shutdownMsMax } = loadOptions([...args, '--shutdown-delay-ms', '10000'], {});
    assert.equal(data, `/var/lib/${setting('StateDirectory')}`);
    assert.ok(Number(setting('TimeoutStopSec')) * 1000 > 10_000 + shutdownMsMax);
  });
});
