import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { eventually, metric } from '../support/orders.js';
import { postOrder, RawConnection, post as requestOf, VALID_BODY } from '../support/raw-http.js';
import { RecordingHandler } from './recording-handler.js';

type Headers = Readonly<Record<string, string>>;

interface Sender {
  readonly verify: string;
  readonly secrets: readonly [string, string];
  /** The headers that it sends with a body. */
  readonly sign: (secret: string, body: string | Uint8Array, offsetS?: number) => Headers;
  readonly hasTime: boolean;
}

const nowS = (offsetS: number) => String(Math.floor(Date.now() / 1000) + offsetS);

function hmac(key: string | Buffer, ...parts: readonly (string | Uint8Array)[]) {
  const made = createHmac('sha256', key);
  for (const part of parts) made.update(part);
  return made;
}

/** How each kind of sender signs, by its own documentation. */
const SENDERS: readonly Sender[] = [
  {
    verify: 'standard-webhooks',
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    hasTime: true,
    sign: (secret, body, offsetS = 0) => {
      const time = nowS(offsetS);
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      return {
        'webhook-id': 'msg_1',
        'webhook-timestamp': time,
        'webhook-signature': `v1,${hmac(key, `msg_1.${time}.`, body).digest('base64')}`,
      };
    },
  },
  {
    verify: 'stripe',
    secrets: ['whsec_one', 'whsec_two'],
    hasTime: true,
    sign: (secret, body, offsetS = 0) => {
      const time = nowS(offsetS);
      const signature = hmac(secret, `${time}.`, body).digest('hex');
      return { 'Stripe-Signature': `t=${time},v1=${signature},v0=${'0'.repeat(64)}` };
    },
  },
  {
    verify: 'shopify',
    secrets: ['shpss_one', 'shpss_two'],
    hasTime: false,
    sign: (secret, body) => ({ 'X-Shopify-Hmac-SHA256': hmac(secret, body).digest('base64') }),
  },
  {
    verify: 'github',
    secrets: ['one secret', 'another secret'],
    hasTime: false,
    sign: (secret, body) => ({
      'X-Hub-Signature-256': `sha256=${hmac(secret, body).digest('hex')}`,
    }),
  },
  {
    verify:
      'hmac:header=X-Slack-Signature,prefix=v0=,timestamp=X-Slack-Request-Timestamp,signed=v0:{timestamp}:{body}',
    secrets: ['slack one', 'slack two'],
    hasTime: true,
    sign: (secret, body, offsetS = 0) => {
      const time = nowS(offsetS);
      return {
        'X-Slack-Request-Timestamp': time,
        'X-Slack-Signature': `v0=${hmac(secret, `v0:${time}:`, body).digest('hex')}`,
      };
    },
  },
];

const SPACED = '{ "product_id": "33",\n\t"count": "3", "username": "Ма\\u043aсим" }';

function checkSender(http: string, { verify, secrets, sign, hasTime }: Sender): void {
  describe(`--verify ${verify.split(',')[0]}, --http ${http}`, { concurrency: false }, () => {
    const handler = new RecordingHandler();
    const file = join(handler.folder, 'secrets');
    const [first, second] = secrets;
    let forebay: ForebayProcess;
    before(async () => {
      writeFileSync(file, `${first}\n`);
      const flags = ['--http', http, '--verify', verify, '--verify-secrets', file];
      forebay = await startForebay([...flags, '--handler', handler.file]);
    });
    after(async () => {
      assert.equal(await forebay.stop(), 0);
      handler.remove();
    });

    it('what is signed is taken, as it was sent', async () => {
      for (const body of [VALID_BODY, SPACED]) {
        const answer = await postOrder(forebay.url, body, sign(first, body));
        assert.equal(answer.status, 200, answer.body);
      }
      const { head, body } = requestOf(SPACED, sign(first, SPACED));
      const connection = await RawConnection.open(forebay.url);
      const bytes = Array.from(body, (byte) => Buffer.of(byte));
      await connection.writeApart([head, ...bytes.slice(0, 20), Buffer.concat(bytes.slice(20))]);
      assert.equal((await connection.answer()).status, 200);
      connection.destroy();
      await eventually('the handler has them', () => handler.orders.length === 3);
      assert.deepEqual(handler.orders[2]!.data, JSON.parse(SPACED));
    });

    it('a gzip body is signed as it was sent', async () => {
      const coded = gzipSync(VALID_BODY);
      const gzip = { 'Content-Encoding': 'gzip' };
      const right = await postOrder(forebay.url, coded, { ...gzip, ...sign(first, coded) });
      assert.equal(right.status, 200);
      const wrong = await postOrder(forebay.url, coded, { ...gzip, ...sign(first, VALID_BODY) });
      assert.equal(wrong.status, 401);
    });

    it('anything else is answered 401, and nothing of it is kept', async () => {
      const accepted = await metric(forebay, 'forebay_orders_accepted_total');
      const right = sign(first, VALID_BODY);
      const cases: readonly (readonly [string, string, Headers])[] = [
        ['no signature', VALID_BODY, {}],
        ['another body', VALID_BODY.replace('33', '34'), right],
        ['the same value in another spelling', VALID_BODY.replace(',', ', '), right],
        ['another secret', VALID_BODY, sign(`${first}0000`, VALID_BODY)],
        ['a secret that is not in use yet', VALID_BODY, sign(second, VALID_BODY)],
        ['an invalid body that is not signed', 'no JSON', right],
        ['an empty body', '', right],
        ...(hasTime
          ? ([
              ['an old time', VALID_BODY, sign(first, VALID_BODY, -310)],
              ['a time in the future', VALID_BODY, sign(first, VALID_BODY, 310)],
            ] as const)
          : []),
        ...Object.keys(right).map((name) => {
          return [`an empty ${name}`, VALID_BODY, { ...right, [name]: '' }] as const;
        }),
      ];
      for (const [what, body, headers] of cases) {
        const answer = await postOrder(forebay.url, body, headers);
        assert.equal(answer.status, 401, what);
        assert.equal(answer.body, '{"result":"unauthorized"}', what);
        assert.equal(answer.headers['www-authenticate'], 'Signature', what);
      }
      assert.equal(await metric(forebay, 'forebay_orders_accepted_total'), accepted);
    });

    it('the answer does not wait for the handler', async () => {
      const body = VALID_BODY.replace('maksim.konovalov', 'waits');
      const done = () => metric(forebay, 'work_done_total{status="done"}');
      const answers = [];
      for (let i = 0; i < 3; i++) {
        answers.push((await postOrder(forebay.url, body, sign(first, body))).status);
      }
      assert.deepEqual(answers, [200, 200, 200]);
      await eventually('the handler runs', () => {
        return handler.orders.some(({ data }) => data.username === 'waits');
      });
      const before = await done();
      handler.heals();
      await eventually('the handler returns', async () => (await done()) >= before + 3);
    });

    it('a signed body that is invalid is answered 400', async () => {
      const answer = await postOrder(forebay.url, '{}', sign(first, '{}'));
      assert.equal(answer.status, 400);
    });

    it('a second secret is taken up, then the first one goes', async () => {
      const statusWith = async (secret: string) =>
        (await postOrder(forebay.url, VALID_BODY, sign(secret, VALID_BODY))).status;
      writeFileSync(file, `${first}\n${second}\n`);
      await eventually('the second is right', async () => (await statusWith(second)) === 200);
      assert.equal(await statusWith(first), 200);
      writeFileSync(file, `${second}\n`);
      await eventually('the first is wrong', async () => (await statusWith(first)) === 401);
      writeFileSync(file, '');
      await eventually('the empty file is refused', async () => {
        return (await metric(forebay, 'forebay_sender_files_refused')) === 1;
      });
      assert.equal(await statusWith(second), 200);
      for (const secret of secrets) assert.ok(!forebay.stderr.includes(secret));
    });
  });
}

for (const { http, skip } of ENGINES) {
  // At once, because they mostly wait until a file of secrets is looked at again.
  describe(`webhooks, --http ${http}`, { skip, concurrency: true }, () => {
    for (const sender of SENDERS) checkSender(http, sender);
  });

  describe(`the key of the sender, and kept headers, --http ${http}`, { skip }, () => {
    const handler = new RecordingHandler();
    let forebay: ForebayProcess;
    before(async () => {
      const keep = 'X-GitHub-Event,traceparent,__proto__';
      const flags = ['--http', http, '--idempotency-from', 'X-GitHub-Delivery'];
      forebay = await startForebay([
        ...flags,
        ...['--keep-headers', keep, '--handler', handler.file, '--rps-limit', '100000'],
      ]);
    });
    after(async () => {
      assert.equal(await forebay.stop(), 0);
      handler.remove();
    });
    const send = (headers: Headers, body = VALID_BODY) => postOrder(forebay.url, body, headers);

    it('a repeated delivery gets the first answer; another body with its key is refused', async () => {
      for (const id of ['72d3162e-cc78-11e3-81ab-4c9367dc0958', 'é'.repeat(3), 'x'.repeat(200)]) {
        const first = await send({ 'X-GitHub-Delivery': `${id}.` });
        assert.equal(first.status, 200);
        const again = await send({ 'x-github-delivery': `${id}.` });
        assert.equal(again.status, 200);
        assert.equal(again.headers['x-order-id'], first.headers['x-order-id']);
        assert.equal(again.headers['idempotent-replay'], 'true');
        const other = await send({ 'X-GitHub-Delivery': `${id}.` }, VALID_BODY.replace('33', '34'));
        assert.equal(other.status, 422);
        const next = await send({ 'X-GitHub-Delivery': `${id}..` });
        assert.notEqual(next.headers['x-order-id'], first.headers['x-order-id']);
      }
    });

    it('a request without it is answered 400; Idempotency-Key comes first', async () => {
      const without = await send({});
      assert.equal(without.status, 400);
      assert.equal(without.headers['x-invalid'], 'idempotency-from');
      const first = await send({ 'Idempotency-Key': 'own', 'X-GitHub-Delivery': 'd-1' });
      const again = await send({ 'Idempotency-Key': 'own', 'X-GitHub-Delivery': 'd-2' });
      assert.equal(again.headers['x-order-id'], first.headers['x-order-id']);
      assert.equal((await send({ 'Idempotency-Key': 'own' })).status, 200);
      const other = await send({ 'X-GitHub-Delivery': 'd-1' });
      assert.notEqual(other.headers['x-order-id'], first.headers['x-order-id']);
    });

    it('the handler gets the headers that are kept, and no others', async () => {
      const answer = await send({
        'X-GitHub-Delivery': 'kept-1',
        'X-GITHUB-EVENT': 'push "\\ \t x',
        'X-Other': 'other',
        __proto__: 'p',
      });
      const repeated = await send({
        'X-GitHub-Delivery': 'kept-2',
        'X-GitHub-Event': 'one\r\nX-GitHub-Event: two',
      });
      const none = await send({ 'X-GitHub-Delivery': 'kept-3' });
      const utf8 = await send({
        'X-GitHub-Delivery': 'kept-4',
        traceparent: 'a é z',
      });
      const headersOf = (of: typeof answer) =>
        handler.orders.find(({ id }) => id === of.headers['x-order-id'])?.headers;
      await eventually('the handler has the last', () => headersOf(utf8) !== undefined);
      assert.deepEqual(headersOf(answer), { 'x-github-event': 'push "\\ \t x' });
      assert.deepEqual(headersOf(repeated), { 'x-github-event': 'one, two' });
      assert.deepEqual(headersOf(none), {});
      assert.deepEqual(headersOf(utf8), { traceparent: 'a é z' });
      const data = JSON.parse(VALID_BODY) as object;
      for (const order of handler.orders) assert.deepEqual(order.data, data);
    });

    it('too much to keep is answered 431', async () => {
      // Each quote takes two bytes in JSON.
      const headers = { 'X-GitHub-Delivery': 'long', 'X-GitHub-Event': '"'.repeat(2100) };
      const answer = await send(headers);
      assert.equal(answer.status, 431);
      assert.equal(answer.body, '{"result":"headers-too-large"}');
      const fits = { ...headers, 'X-GitHub-Event': '"'.repeat(2000) };
      assert.equal((await send(fits)).status, 200);
    });
  });
}
