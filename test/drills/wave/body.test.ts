import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseStoryOptions } from '../../../drills/story/options.js';
import { parseWaveOptions } from '../../../drills/wave/options.js';
import { bodies } from '../../../k6/lib/body.js';
import { EXIT, OperatorFault } from '../../../src/model/fault.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const folder = mkdtempSync(join(tmpdir(), 'forebay-body-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the bodies of a run', () => {
  it('are the built-in order without a file, and the file as it is without placeholders', () => {
    assert.deepEqual(JSON.parse(bodies('')(1)), {
      product_id: '33',
      count: '3',
      username: 'maksim.konovalov',
    });
    const text = '{ "a": "{{other}} {n} $1 ünï" }\n';
    assert.equal(bodies(text)(7), text);
  });

  it('have a number, a random UUID and the time', () => {
    const bodyOf = bodies(
      '{"n":{{n}},"id":"{{uuid}}","again":["{{uuid}}","{{n}}"],"at":"{{time}}"}',
    );
    const parsed = [1, 2].map((n) => JSON.parse(bodyOf(n)));
    for (const [i, { n, id, again, at }] of parsed.entries()) {
      assert.equal(n, i + 1);
      assert.match(id, UUID_V4);
      assert.deepEqual(again, [id, String(n)]);
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
      assert.equal(new Date(at).toISOString(), at);
    }
    assert.notEqual(parsed[0].id, parsed[1].id);
  });
});

for (const [command, parse] of [
  ['wave', parseWaveOptions],
  ['story', parseStoryOptions],
] as const) {
  describe(`--body and --path of forebay ${command}`, () => {
    const options = (...args: string[]) => parse(args, () => {});

    it('are the built-in order at /orders by default', () => {
      const { path, body, bodyFile } = options();
      assert.deepEqual([path, body, bodyFile], ['/orders', '', '']);
    });

    it('take a file, and a path', () => {
      const text = '{"id":{{n}}}';
      const bodyFile = file('event.json', text);
      const given = options('--body', bodyFile, '--path', '/v1/events');
      assert.deepEqual([given.path, given.body, given.bodyFile], ['/v1/events', text, bodyFile]);
    });

    const wrong: readonly (readonly [string, string[], RegExp])[] = [
      ['a file that is missing', ['--body', '/nowhere/x.json'], /--body \/nowhere\/x\.json: there/],
      ['a folder', ['--body', folder], /--body .*: EISDIR/],
      ['no JSON', ['--body', file('no.json', '{"id":{{m}}}')], /--body .*no\.json: not JSON: /],
      ['a path without a slash', ['--path', 'events'], /--path events: must be a path such as/],
      ['a path with a query', ['--path', '/a?b'], /--path \/a\?b: must be a path/],
    ];
    for (const [name, args, message] of wrong) {
      it(`refuse ${name} in one line`, () => {
        assert.throws(
          () => options(...args),
          (fault: OperatorFault) =>
            fault instanceof OperatorFault &&
            fault.exitCode === EXIT.usage &&
            message.test(fault.message) &&
            !fault.message.includes('\n'),
        );
      });
    }
  });
}
