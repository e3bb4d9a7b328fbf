import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LOG_EVENTS } from '../../src/model/log.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('the events of the log', () => {
  it('are listed in docs/reference/logs.md with level and meaning, and no others are', () => {
    const page = readFileSync(join(ROOT, 'docs/reference/logs.md'), 'utf8');
    const listed = Array.from(
      page.matchAll(/^\| `([a-z-]+)` \| (info|warn|error|fatal) \| (.*) \|$/gm),
      ([, name, level, what]) => [name, { level, what }],
    );
    assert.deepEqual(Object.fromEntries(listed), LOG_EVENTS);
  });

  it('are each logged somewhere in the code', () => {
    const code = ['src', 'workers']
      .flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(ROOT, folder, name),
        ),
      )
      .filter((path) => path.endsWith('.ts') && !path.endsWith('model/log.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const unused = Object.keys(LOG_EVENTS).filter(
      (event) =>
        !new RegExp(`(?:(?:log|tell)\\(\\s*|(?:renewed|refused): )'${event}'`, 'i').test(code),
    );
    assert.deepEqual(unused, []);
  });
});
