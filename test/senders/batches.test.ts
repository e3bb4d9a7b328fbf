import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { keyLine, newKey, sha256Of } from '../../src/senders/key-file.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric } from '../support/orders.js';
import { exchange, post, VALID_BODY } from '../support/raw-http.js';
import { RecordingHandler } from './recording-handler.js';

const BATCH = `${VALID_BODY}\n${VALID_BODY}\n`;
const SECRET = 'secret';

for (const { http, skip } of ENGINES) {
  describe(`a batch of a sender, --http ${http}`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'senders-batch-'));
    const handler = new RecordingHandler();
    const key = newKey();
    let forebay: ForebayProcess;
    before(async () => {
      const [keys, secrets] = [join(folder, 'keys'), join(folder, 'secrets')];
      writeFileSync(keys, keyLine({ name: 'acme', sha256: sha256Of(key), rps: 5 }));
      writeFileSync(secrets, SECRET);
      const senders = ['--api-keys', keys, '--verify', 'github', '--verify-secrets', secrets];
      const flags = ['--http', http, '--handler', handler.file, '--keep-headers', 'x-github-event'];
      forebay = await startForebay([...flags, ...senders]);
    });
    after(async () => {
      assert.equal(await forebay.stop(), 0);
      handler.remove();
      rmSync(folder, { recursive: true });
    });

    const send = (body: string, headers: Readonly<Record<string, string>>) => {
      const request = post(body, { 'Content-Type': 'application/x-ndjson', ...headers });
      const head = request.head.replace('POST /orders ', 'POST /orders/batch ');
      return exchange(forebay.url, Buffer.concat([Buffer.from(head), request.body]));
    };
    const signed = (body: string) => ({
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    });

    it('needs a key and a signature; its orders keep the headers', async () => {
      const known = { 'X-Api-Key': key };
      assert.equal((await send(BATCH, signed(BATCH))).status, 401);
      assert.equal((await send(BATCH, known)).status, 401);
      assert.equal((await send(`${BATCH} `, { ...known, ...signed(BATCH) })).status, 401);
      const event = { 'X-GitHub-Event': 'push' };
      const answer = await send(BATCH, { ...known, ...event, ...signed(BATCH) });
      assert.equal(answer.status, 200, answer.body);
      await eventually('the handler has both', () => handler.orders.length === 2);
      for (const { headers } of handler.orders) {
        assert.deepEqual(headers, { 'x-github-event': 'push' });
      }
      assert.equal(
        await metric(forebay, 'forebay_key_responses_total{key="acme",outcome="accepted"}'),
        1,
      );
    });

    it('whose kept headers do not fit into a frame is answered 413', async (t) => {
      const flags = [
        '--http',
        http,
        '--keep-headers',
        'x-github-event',
        '--frame-orders-max',
        '200',
      ];
      const wide = await startForebay(flags, { owner: t });
      const many = `${VALID_BODY}\n`.repeat(200);
      const request = post(many, {
        'Content-Type': 'application/x-ndjson',
        'X-GitHub-Event': 'x'.repeat(2500),
      });
      const head = request.head.replace('POST /orders ', 'POST /orders/batch ');
      const answer = await exchange(wide.url, Buffer.concat([Buffer.from(head), request.body]));
      assert.equal(answer.status, 413, answer.body);
      assert.equal(await metric(wide, 'forebay_orders_accepted_total'), 0);
      assert.equal(await wide.stop(), 0);
    });

    it('of more orders than the limit of its key is refused for good', async () => {
      const tooMany = `${VALID_BODY}\n`.repeat(6);
      const answer = await send(tooMany, { 'X-Api-Key': key, ...signed(tooMany) });
      assert.notEqual(answer.status, 200);
      assert.doesNotMatch(JSON.stringify(answer.headers), /Infinity|NaN/);
      assert.equal(handler.orders.length, 2);
    });
  });
}
