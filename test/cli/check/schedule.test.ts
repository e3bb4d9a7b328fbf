import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EXIT } from '../../../src/model/fault.js';
import { runForebay } from '../../support/forebay.js';
import { runCheck, temporaryFolder } from './run-check.js';

const DAY_MS = 86_400_000;

describe('forebay check with --drain-schedule', () => {
  it('lists the rates of the next 24 hours, without a gap', async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'night.txt');
    writeFileSync(file, '22:00-04:00 Europe/Berlin 200/s\n12:00-13:00 UTC paused\n');
    const flags = ['--data', join(folder, 'data'), '--drain-schedule', file, '--drain-rate', '20'];
    const { code, findings } = await runCheck(...flags);
    assert.equal(code, 0);
    const slots = findings.filter(({ about }) => about === 'drain schedule');
    assert.ok(slots.length >= 3, JSON.stringify(slots));
    const [first, last] = [slots[0]!.facts, slots.at(-1)!.facts];
    assert.equal(Number(last.toMs) - Number(first.fromMs), DAY_MS);
    for (const [i, { verdict, text, facts }] of slots.entries()) {
      assert.equal(verdict, 'ok');
      assert.match(text, i === 0 ? /^now \(/ : /^from /);
      if (i > 0) assert.equal(facts.fromMs, slots[i - 1]!.facts.toMs);
      const expected = {
        200: /200\/s \(line 1\)$/,
        paused: /paused \(line 2\)$/,
        20: /20\/s \(default\)$/,
      };
      assert.match(text, expected[facts.rate as keyof typeof expected]);
    }
  });

  it('fails like serve on a file with a fault', async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'night.txt');
    writeFileSync(file, '02:00-06:00 Europe/Berlin fast\n');
    const flags = ['--data', join(folder, 'data'), '--drain-schedule', file];
    const { code, about } = await runCheck(...flags);
    assert.equal(code, EXIT.usage);
    const { text, fix } = about('drain schedule');
    const served = await runForebay(['serve', '--port', '0', '--admin-port', '0', ...flags]);
    assert.equal(served.code, EXIT.usage);
    assert.ok(served.stderr.includes(`${text}; fix: ${fix}`), served.stderr);
  });
});
