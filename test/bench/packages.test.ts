import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

describe('the packages of the contestants', () => {
  const own = JSON.parse(read('bench/contestants/node/package.json')).dependencies;
  const project = JSON.parse(read('package.json'));

  it('have exact versions, the same as in this project if it uses them too', () => {
    const ofProject = { ...project.dependencies, ...project.devDependencies };
    for (const [name, version] of Object.entries(own)) {
      assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
      assert.equal(ofProject[name] ?? version, version, name);
    }
  });

  it('are listed in docs/reference/dependencies.md with their versions', () => {
    const page = read('docs/reference/dependencies.md');
    for (const [name, version] of Object.entries(own)) {
      assert.ok(page.includes(`${name} ${version}`), name);
    }
  });

  it('have a lock file without registry addresses', () => {
    const { packages } = JSON.parse(read('bench/contestants/node/package-lock.json'));
    assert.ok(Object.keys(packages).length > Object.keys(own).length);
    for (const [name, entry] of Object.entries(packages)) {
      assert.equal((entry as { resolved?: string }).resolved, undefined, name);
    }
  });
});
