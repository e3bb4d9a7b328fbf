import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heapFlag } from '../../src/drain/heap-flag.js';
import { runForebay, startForebay } from '../support/forebay.js';

describe('a flag of node that overrides --worker-heap-mb', () => {
  const cases: [string[], string, string | null][] = [
    [[], '', null],
    [[], '--max-old-space-size=512', '--max-old-space-size=512'],
    [[], '--enable-source-maps  --max_old_space_size=512', '--max-old-space-size=512'],
    [[], '--max-old-space-size 512', '--max-old-space-size=512'],
    [[], '--max-old-space-size-percentage=50', '--max-old-space-size-percentage=50'],
    [['--max-heap-size=900'], '--max-old-space-size=512', '--max-heap-size=900'],
    [['--max-semi-space-size=64'], '', null],
    [[], '--max-old-space-size=128', null],
  ];
  for (const [execArgv, nodeOptions, flag] of cases) {
    it(`${[...execArgv, `NODE_OPTIONS=${nodeOptions}`].join(' ')}: ${flag ?? 'none'}`, () => {
      assert.equal(heapFlag(128, execArgv, nodeOptions)?.flag ?? null, flag);
    });
  }

  it('serve says so in one line, and check too', async (t) => {
    const env = { NODE_OPTIONS: '--max-old-space-size=512' };
    const forebay = await startForebay([], { owner: t, env });
    assert.equal(await forebay.stop(), 0);
    const lines = forebay.stderr
      .split('\n')
      .filter((line) => line.includes('heap-limit-overridden'));
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /--worker-heap-mb 128 .*--max-old-space-size=512 in NODE_OPTIONS/);

    const args = ['check', '--json', '--mode', 'direct', '--port', '0', '--admin-port', '0'];
    const { stdout } = await runForebay(args, env);
    const { findings } = JSON.parse(stdout) as { findings: { about: string; verdict: string }[] };
    assert.equal(findings.find(({ about }) => about === 'handler memory')?.verdict, 'warn');
  });
});
