import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { exchange, post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

/** In this spelling uWebSockets.js sends the interim answer before it calls a route. */
const LOWER_CASE = '100-continue';
const SPELLINGS = [LOWER_CASE, '100-Continue', '100-CONTINUE'];

/** Requests that are refused by their head. */
const REFUSED = {
  413: post('', { 'Content-Length': '1000000000' }),
  415: post(VALID_BODY, { 'Content-Type': 'text/plain' }),
  'coded 415': post(VALID_BODY, { 'Content-Encoding': 'br' }),
  400: post(VALID_BODY, { 'Idempotency-Key': 'k'.repeat(65) }),
  404: post(VALID_BODY),
  405: post(VALID_BODY),
} as const;

function headOf(name: string, { head }: { readonly head: string }): string {
  if (name === '404') return head.replace('/orders', '/elsewhere');
  return name === '405' ? head.replace('POST', 'PUT') : head;
}

function expecting(head: string, value: string): string {
  return head.replace('\r\n\r\n', `\r\nExpect: ${value}\r\n\r\n`);
}

for (const { http, skip } of ENGINES) {
  describe(`Expect and what the head decides, --http ${http}`, { skip }, () => {
    let forebay: ForebayProcess;
    before(async () => {
      forebay = await startForebay(['--http', http]);
    });
    after(async () => assert.equal(await forebay.stop(), 0));

    for (const spelling of SPELLINGS) {
      it(`Expect: ${spelling} gets 100 Continue, then the answer`, async () => {
        const connection = await RawConnection.open(forebay.url);
        // Twice, because the second request must find the connection as the first did.
        for (const request of [post(VALID_BODY), post('{}'), post(VALID_BODY)]) {
          await connection.write(expecting(request.head, spelling));
          assert.equal((await connection.answer()).status, 100);
          await connection.write(request.body);
          const answer = await connection.answer();
          assert.equal(answer.status, request.body.length > 2 ? 200 : 400);
          assert.equal(answer.headers['content-type'], 'application/json');
          const named = answer.status === 200 ? 'x-order-id' : 'x-invalid';
          assert.ok(answer.headers[named] !== undefined);
        }
        connection.destroy();
      });

      for (const [name, request] of Object.entries(REFUSED)) {
        const isEarly = http === 'uws' && spelling === LOWER_CASE;
        it(`Expect: ${spelling} gets ${isEarly ? '100, then' : 'only'} a ${name}`, async () => {
          const connection = await RawConnection.open(forebay.url);
          await connection.write(expecting(headOf(name, request), spelling));
          const first = await connection.answer();
          if (isEarly) assert.equal(first.status, 100);
          const answer = isEarly ? await connection.answer() : first;
          assert.equal(answer.status, Number(name.slice(-3)));
          // The client may send its body or not: what it sends next could be either.
          assert.equal(answer.headers.connection, 'close');
          connection.destroy();
        });
      }

      it(`Expect: ${spelling} above the limit gets a 500`, async (t) => {
        const limited = await startForebay(['--http', http, '--rps-limit', '1'], { owner: t });
        const isEarly = http === 'uws' && spelling === LOWER_CASE;
        let refused = null;
        // A request of the second after is admitted, and answered once it has its body.
        for (let i = 0; refused === null; i++) {
          assert.ok(i < 100, 'the limit holds');
          await postOrder(limited.url, VALID_BODY);
          const connection = await RawConnection.open(limited.url);
          await connection.write(expecting(post(VALID_BODY).head, spelling));
          const first = await connection.answer();
          if (first.status === 100) await connection.write(VALID_BODY);
          const answer = first.status === 100 ? await connection.answer() : first;
          if (answer.status === 500) refused = { isAfterInterim: first.status === 100 };
          connection.destroy();
        }
        assert.deepEqual(refused, { isAfterInterim: isEarly });
      });
    }

    it('a body in a content coding is answered 415 with Accept-Encoding', async () => {
      for (const [coding, body] of [
        ['br', Buffer.from(VALID_BODY)],
        ['deflate', Buffer.from(VALID_BODY)],
        ['identity, gzip', Buffer.from(VALID_BODY)],
      ] as const) {
        const answer = await postOrder(forebay.url, body, { 'Content-Encoding': coding });
        assert.equal(answer.status, 415, coding);
        assert.equal(answer.headers['accept-encoding'], 'gzip');
        assert.equal(answer.body, '{"result":"unsupported-media-type"}');
      }
      for (const coding of ['identity', 'Identity', '']) {
        const answer = await postOrder(forebay.url, VALID_BODY, { 'Content-Encoding': coding });
        assert.equal(answer.status, 200, coding);
      }
    });

    it('the media type comes before the coding and the length, the key before the length', async () => {
      const status = async (headers: Readonly<Record<string, string>>) => {
        const { head } = post('', { 'Content-Length': '4097', ...headers });
        return (await exchange(forebay.url, expecting(head, '100-CONTINUE'))).status;
      };
      assert.equal(await status({ 'Content-Type': 'text/plain', 'Idempotency-Key': '\t' }), 415);
      assert.equal(await status({ 'Content-Encoding': 'br', 'Idempotency-Key': 'a b' }), 415);
      assert.equal(await status({ 'Idempotency-Key': 'a b' }), 400);
      assert.equal(await status({ 'Idempotency-Key': 'a' }), 413);
    });
  });
}
