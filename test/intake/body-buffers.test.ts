import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyBuffers } from '../../src/intake/body-buffers.js';
import { ENGINES } from '../support/engines.js';
import { startForebay } from '../support/forebay.js';
import { eventually, metric, OrderClient } from '../support/orders.js';
import { post, RawConnection, VALID_BODY } from '../support/raw-http.js';

const MIB = 1024 * 1024;

describe('BodyBuffers', () => {
  it('holds at most twice what has arrived, and keeps the bytes when it grows', () => {
    const bodies = new BodyBuffers(MIB);
    let body: Uint8Array | null = null;
    let length = 0;
    for (const piece of [1, 4000, 95, 1, 4096, 10_000, 500_000, 530_000, 383]) {
      body = bodies.grown(body, length, length + piece)!;
      body.fill(piece & 0xff, length, length + piece);
      length += piece;
      assert.ok(body.length >= length);
      assert.ok(body.length <= Math.max(4096, 2 * length), `${body.length} for ${length}`);
      assert.equal(bodies.usedBytes, body.length);
    }
    assert.equal(length, MIB);
    assert.deepEqual(
      [0, 1, 4000, 4001, 4096, 4097, MIB - 1].map((at) => body![at]),
      [1, 4000 & 0xff, 4000 & 0xff, 95, 1, 0, 383 & 0xff],
    );
    bodies.giveBack(body!);
    assert.equal(bodies.usedBytes, 0);
  });

  it('has one buffer of the bound when the bound is small', () => {
    const bodies = new BodyBuffers(100);
    assert.equal(bodies.grown(null, 0, 1)!.length, 100);
  });

  it('refuses what would exceed the memory for all bodies, until some is given back', () => {
    const bodies = new BodyBuffers(MIB, 3 * 4096);
    const [a, b] = [bodies.grown(null, 0, 1)!, bodies.grown(null, 0, 1)!];
    assert.equal(bodies.grown(a, 1, 10_000), null);
    const grown = bodies.grown(a, 1, 5000)!;
    assert.equal(grown.length, 8192);
    assert.equal(bodies.grown(null, 0, 1), null);
    bodies.giveBack(b);
    assert.notEqual(bodies.grown(null, 0, 1), null);
  });

  it('keeps idle buffers, but not without bound', () => {
    const bodies = new BodyBuffers(MIB);
    const [first] = [bodies.grown(null, 0, MIB)!];
    bodies.giveBack(first);
    assert.equal(bodies.grown(null, 0, MIB), first);
    bodies.giveBack(first);
    const many = Array.from({ length: 16 }, () => bodies.grown(null, 0, MIB)!);
    for (const buffer of many) bodies.giveBack(buffer);
    const again = Array.from({ length: 16 }, () => bodies.grown(null, 0, MIB)!);
    assert.equal(again.filter((buffer) => many.includes(buffer)).length, 4);
  });
});

for (const { http, skip } of ENGINES) {
  describe(`slow clients with large bodies, --http ${http}`, { skip }, () => {
    it('get 503 once bodies that arrive use all their memory, and others are served', async (t) => {
      const flags = ['--body-bytes-max', String(MIB), '--threads', '1', '--http', http];
      // No body ends because a busy machine is slow.
      const forebay = await startForebay([...flags, '--body-ms-max', '60000'], { owner: t });
      const { head } = post('', { 'Content-Length': String(MIB) });
      const most = Buffer.alloc(MIB - 1, ' ');
      const slow = await Promise.all(
        Array.from({ length: 135 }, () => RawConnection.open(forebay.url)),
      );
      t.after(() => {
        for (const connection of slow) connection.destroy();
      });
      await Promise.all(slow.map((connection) => connection.write(`${head}`)));
      for (const connection of slow) await connection.write(most);
      const refused = () => metric(forebay, 'forebay_bodies_refused_total');
      await eventually('some are refused', async () => (await refused()) === 135 - 128);
      const client = new OrderClient(forebay.url);
      t.after(() => client.close());
      assert.equal((await client.post('one piece')).status, 200);
      const busy = await Promise.race(slow.map((connection) => connection.answer()));
      assert.deepEqual([busy.status, busy.body], [503, '{"result":"busy"}']);
      assert.equal(busy.headers['retry-after'], '1');
      for (const connection of slow) connection.destroy();
      const connection = await RawConnection.open(forebay.url);
      const valid = post(VALID_BODY);
      await eventually('there is room again', async () => {
        await connection.writeApart([
          valid.head,
          valid.body.subarray(0, 10),
          valid.body.subarray(10),
        ]);
        return (await connection.answer()).status === 200;
      });
      connection.destroy();
    });
  });
}
