import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ForebayProcess, startForebay } from '../support/forebay.js';
import { exchange, post, postOrder, RawConnection, VALID_BODY } from '../support/raw-http.js';

describe('--allow-no-content-type on', () => {
  it('takes a POST without a media type as JSON, and refuses another media type', async (t) => {
    const forebay = await startForebay(['--allow-no-content-type', 'on'], { owner: t });
    const send = (type: string | undefined) =>
      postOrder(forebay.url, VALID_BODY, { 'Content-Type': type });
    assert.equal((await send(undefined)).status, 200);
    assert.equal((await send('application/json')).status, 200);
    assert.equal((await send('text/plain')).status, 415);
    assert.equal(await forebay.stop(), 0);
  });
});

/** The contract holds in an intake thread and, with 0, in the main thread. */
for (const threads of ['1', '0']) {
  describe(`the HTTP contract, --threads ${threads}`, () => {
    let forebay: ForebayProcess;
    before(async () => {
      forebay = await startForebay(['--threads', threads, '--body-bytes-max', '256']);
    });
    after(async () => assert.equal(await forebay.stop(), 0));

    it('answers 200 created with the order id for a valid order', async () => {
      const answer = await postOrder(forebay.url, VALID_BODY, {
        'Content-Type': 'application/json',
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.body, '{"result":"created"}');
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.match(answer.headers['x-order-id']!, /^[0-9A-HJKMNP-TV-Z]{26}-[0-9]+$/);
    });

    it('gives every order a unique id', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => postOrder(forebay.url, VALID_BODY)),
      );
      assert.equal(new Set(answers.map((answer) => answer.headers['x-order-id'])).size, 50);
    });

    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json ;x=y',
    ]) {
      it(`accepts the media type "${type}"`, async () => {
        const headers = { 'Content-Type': type };
        assert.equal((await postOrder(forebay.url, VALID_BODY, headers)).status, 200);
      });
    }

    for (const type of [
      'text/plain',
      'application/jsonx',
      'application/x-www-form-urlencoded',
      ';',
      '',
      undefined,
    ]) {
      it(`answers 415 to ${type === undefined ? 'no media type' : `the media type "${type}"`}`, async () => {
        const answer = await postOrder(forebay.url, VALID_BODY, { 'Content-Type': type });
        assert.equal(answer.status, 415);
        assert.equal(answer.body, '{"result":"unsupported-media-type"}');
        assert.equal(answer.headers['content-type'], 'application/json');
      });
    }

    it('answers 400 and names the first fault', async () => {
      const body = '{"product_id":"33","count":"101","username":"x"}';
      const answer = await postOrder(forebay.url, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body, '{"result":"invalid"}');
      assert.equal(answer.headers['x-invalid'], '/count pattern');
    });

    it('answers 400 to an empty body, announced or not', async () => {
      assert.equal((await postOrder(forebay.url, '')).status, 400);
      const { head } = post('', { 'Content-Length': undefined });
      const bare = await exchange(forebay.url, head);
      assert.equal(bare.status, 400);
    });

    it('accepts a body of the maximum size, and answers 413 to one byte more', async () => {
      const padded = VALID_BODY + ' '.repeat(256 - VALID_BODY.length);
      assert.equal((await postOrder(forebay.url, padded)).status, 200);
      const answer = await postOrder(forebay.url, `${padded} `);
      assert.equal(answer.status, 413);
      assert.equal(answer.body, '{"result":"too-large"}');
    });

    it('answers 413 before the rest of a huge body arrives', async () => {
      const connection = await RawConnection.open(forebay.url);
      await connection.write(
        `${post('', { 'Content-Length': '1000000000' }).head}${' '.repeat(300)}`,
      );
      assert.equal((await connection.answer()).status, 413);
      connection.destroy();
    });

    for (const [method, toHead] of [
      ['GET', false],
      ['PUT', false],
      ['DELETE', false],
      ['OPTIONS', false],
      ['PATCH', false],
      ['HEAD', true],
    ] as const) {
      it(`answers 405 with Allow to ${method} /orders and 404 to ${method} elsewhere`, async () => {
        const known = await exchange(forebay.url, `${method} /orders HTTP/1.1\r\nHost: x\r\n\r\n`);
        assert.equal(known.status, 405);
        assert.equal(known.headers.allow, 'POST');
        assert.equal(known.body, toHead ? '' : '{"result":"method-not-allowed"}');
        assert.equal(known.headers['content-length'], '31');
        const unknown = await exchange(forebay.url, `${method} /order HTTP/1.1\r\nHost: x\r\n\r\n`);
        assert.equal(unknown.status, 404);
        assert.equal(unknown.body, toHead ? '' : '{"result":"not-found"}');
      });
    }

    for (const path of ['/', '/orders/', '/ORDERS', '/orders/1/2', '//orders', '/orders%2f']) {
      it(`answers 404 to POST ${path}`, async () => {
        const request = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
        assert.equal((await exchange(forebay.url, request)).status, 404);
      });
    }

    it('ignores a query', async () => {
      const { head, body } = post(VALID_BODY);
      const request = Buffer.concat([Buffer.from(head.replace('/orders', '/orders?a=b')), body]);
      assert.equal((await exchange(forebay.url, request)).status, 200);
    });
  });

  describe(`precedence, if several responses apply, --threads ${threads}`, () => {
    let forebay: ForebayProcess;
    const faulty = { type: { 'Content-Type': 'text/plain' }, huge: ' '.repeat(500), wrong: '{}' };

    before(async () => {
      forebay = await startForebay([
        '--threads',
        threads,
        '--body-bytes-max',
        '256',
        '--rps-limit',
        '1',
      ]);
    });
    after(async () => assert.equal(await forebay.stop(), 0));
    /**
     * Runs requests with a new second of the limit, and again until they are answered within one: on a busy machine, the
     * limit may rightly admit another request meanwhile.
     */
    async function inOneSecond<T>(requests: () => Promise<T>): Promise<T> {
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, 1050));
        const startedMs = performance.now();
        const answers = await requests();
        if (performance.now() - startedMs < 1000) return answers;
      }
    }

    it('404 and 405 come before the limit and do not count against it', async () => {
      await inOneSecond(async () => {});
      for (let i = 0; i < 5; i++) {
        assert.equal(
          (await exchange(forebay.url, 'GET /orders HTTP/1.1\r\nHost: x\r\n\r\n')).status,
          405,
        );
        assert.equal(
          (await exchange(forebay.url, 'POST /x HTTP/1.1\r\nHost: x\r\n\r\n')).status,
          404,
        );
      }
      assert.equal((await postOrder(forebay.url, VALID_BODY)).status, 200);
    });

    it('the limit comes before media type, size and validity', async () => {
      const [first, ...limited] = await inOneSecond(async () => [
        await postOrder(forebay.url, VALID_BODY),
        await postOrder(forebay.url, VALID_BODY, faulty.type),
        await postOrder(forebay.url, faulty.huge),
        await postOrder(forebay.url, faulty.wrong),
        await postOrder(forebay.url, VALID_BODY),
      ]);
      assert.equal(first!.status, 200);
      for (const { status, body } of limited) {
        assert.equal(status, 500);
        assert.equal(body, '{"result":"server-kaput"}');
      }
    });

    it('media type comes before size', async () => {
      const send = () => postOrder(forebay.url, faulty.huge, faulty.type);
      assert.equal((await inOneSecond(send)).status, 415);
    });

    it('size comes before validity', async () => {
      const send = () => postOrder(forebay.url, faulty.huge);
      assert.equal((await inOneSecond(send)).status, 413);
    });

    it('an invalid order counts against the limit', async () => {
      const answers = await inOneSecond(async () => [
        await postOrder(forebay.url, faulty.wrong),
        await postOrder(forebay.url, VALID_BODY),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [400, 500],
      );
    });
  });
}
