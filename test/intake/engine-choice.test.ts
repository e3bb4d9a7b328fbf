import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingServerBinary } from '../../src/intake/uws/platform.mjs';
import { sharesPort } from '../../src/options/port-sharing.js';
import { logLines } from '../log/log-lines.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { postOrder, VALID_BODY } from '../support/raw-http.js';

/** Makes the import of uWebSockets.js fail, as on a machine for which it has no binary. */
const HOOK = `export async function resolve(name, context, next) {
  if (name === 'uWebSockets.js') throw new Error('no binary');
  return next(name, context);
}`;
const REGISTER = `import { register } from 'node:module'; register('${dataUrl(HOOK)}');`;
const WITHOUT_BINARY = {
  NODE_OPTIONS: `--no-warnings --import ${dataUrl(REGISTER)}`,
  FOREBAY_HTTP: 'auto',
};

function dataUrl(script: string): string {
  return `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

function engineLine(stderr: string): { engine?: string; threads?: number; msg: string } {
  return logLines(stderr).find(({ event }) => event === 'http-engine')!;
}

describe('the HTTP engine', () => {
  it('is node:http with --http node', async (t) => {
    const forebay = await startForebay(['--http', 'node', '--threads', '1'], { owner: t });
    assert.equal((await postOrder(forebay.url, VALID_BODY, JSON_TYPE)).status, 200);
    assert.equal(await forebay.stop(), 0);
    assert.equal(engineLine(forebay.stderr).engine, 'node');
  });

  it('is uWebSockets.js with auto, if it has a binary', async (t) => {
    const forebay = await startForebay(['--http', 'auto'], { owner: t });
    assert.equal(await forebay.stop(), 0);
    const expected = (await missingServerBinary()) === null ? 'uws' : 'node';
    assert.equal(engineLine(forebay.stderr).engine, expected);
  });

  it('is node:http with auto if uWebSockets.js has no binary: the log says why, and how many threads share the port', async (t) => {
    const forebay = await startForebay(['--threads', '2'], { owner: t, env: WITHOUT_BINARY });
    assert.equal((await postOrder(forebay.url, VALID_BODY, JSON_TYPE)).status, 200);
    assert.equal(await forebay.stop(), 0);
    const { engine, threads, msg } = engineLine(forebay.stderr);
    assert.equal(engine, 'node');
    assert.match(msg, /uWebSockets\.js has no binary for Node \d/);
    assert.equal(threads, sharesPort('node') ? 2 : 1);
    assert.equal(/one intake thread/.test(msg), !sharesPort('node'));
  });

  it('--http uws without a binary ends serve and check with one line that has the fix', async () => {
    const serve = await runForebay(['serve', '--http', 'uws', '--port', '0'], WITHOUT_BINARY);
    assert.equal(serve.code, 2);
    assert.match(
      serve.stderr,
      /^forebay: --http uws: .* has no binary for Node .*; fix: use --http auto, [^\n]+\n$/,
    );
    const ports = ['--port', '0', '--admin-port', '0'];
    const check = await runForebay(['check', '--http', 'uws', ...ports], WITHOUT_BINARY);
    assert.equal(check.code, 2);
    assert.match(check.stdout, /^fail +http +--http uws: .* has no binary for Node/m);
    const auto = await runForebay(['check', ...ports], WITHOUT_BINARY);
    assert.match(auto.stdout, /^ok +http +HTTP engine: node:http, because/m);
  });

  it('several threads of node:http share the port where Node can', async (t) => {
    if (!sharesPort('node')) {
      t.skip('this Node cannot share a port between threads of node:http');
      return;
    }
    const forebay = await startForebay(['--http', 'node', '--threads', '3'], { owner: t });
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => postOrder(forebay.url, VALID_BODY, JSON_TYPE)),
    );
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(await forebay.stop(), 0);
  });
});
