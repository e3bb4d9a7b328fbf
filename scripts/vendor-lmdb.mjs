#!/usr/bin/env node
// Copies the JavaScript of lmdb and of what it imports to dist/node_modules, where the packed code finds it. As a
// dependency, lmdb would bring two install scripts, about which npm asks the user. They only look for the prebuilt binary,
// which comes as a package without a script: see optionalDependencies in package.json.
import { cpSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FROM = join(ROOT, 'node_modules');
const TO = join(ROOT, 'dist', 'node_modules');

/** Headers for compiling, and the binary accelerator of msgpackr, which encodes values: Forebay stores bytes. */
const LEFT_OUT = ['node-addon-api', 'msgpackr-extract'];

/** What `import` loads, and the licenses. `dist` has the same for `require`. */
const WANTED = /(^|\/)(LICENSE|package\.json)$|\.[cm]?js$/;
const UNWANTED =
  /\/(\.[^/]+|dist|tests?|assets|dict|dependencies|src|bin)\/|\.config\.js$|benchmark|-?test(-worker)?\.js$/;

/** @param {string} name @param {Set<string>} names takes it and what it imports */
function closure(name, names) {
  if (LEFT_OUT.includes(name) || names.has(name)) return names;
  names.add(name);
  const { dependencies = {} } = JSON.parse(readFileSync(join(FROM, name, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) closure(dependency, names);
  return names;
}

for (const name of closure('lmdb', new Set())) {
  const folder = join(FROM, name);
  cpSync(folder, join(TO, name), {
    recursive: true,
    filter: (file) => {
      const path = file.slice(folder.length);
      return statSync(file).isDirectory()
        ? !UNWANTED.test(`${path}/`)
        : WANTED.test(path) && !UNWANTED.test(path);
    },
  });
}
