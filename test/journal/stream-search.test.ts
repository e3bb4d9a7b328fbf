import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameIds } from '../../src/commit/frame-id.js';
import { FrameLookup } from '../../src/journal/jetstream/frame-lookup.js';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { declarations } from '../../src/journal/nats/declarations.js';
import { declareJournal } from '../../src/journal/nats/declare.js';
import { frameHeaders } from '../../src/journal/nats/headers.js';
import { jetStreamNames } from '../../src/journal/nats/names.js';
import type { JetStreamPublisher } from '../../src/journal/nats/publisher.js';
import { StreamSearch } from '../../src/journal/nats/stream-search.js';
import { type Frame, frameTimeMs } from '../../src/model/frame.js';
import { HANG_MS_MAX } from '../support/deadline.js';
import { NATS_VERSIONS, NatsServer, type NatsVersion } from '../support/nats.js';
import { fresh } from './frames.js';
import { withManager } from './jetstream-api.js';
import { FRAMES } from './jetstream-opened.js';

const names = jetStreamNames('SEARCHED');
const HOUR_MS = 3_600_000;

for (const version of NATS_VERSIONS) testSearch(version);

function testSearch(version: NatsVersion): void {
  describe(`the search for frames in a stream of ${version}`, () => {
    let server: NatsServer;
    let connection: JetStreamConnection;
    let publisher: JetStreamPublisher;
    let search: StreamSearch;
    const ids = new FrameIds();
    const freshOnes: Frame[] = [];
    const spooledOnes: Frame[] = [];
    let startedMs = 0;
    /** A frame of that time whose commit took longer than all others. */
    let slow: Frame;
    let slowMs = 0;

    async function put(acceptedAtMs: number): Promise<Frame> {
      const frame = { ...fresh(2, ids.next(acceptedAtMs)), acceptedAtMs };
      const { stream, freshSubject } = names;
      const message = { stream, subject: freshSubject, payload: frame.payload };
      const whole = { ...message, headers: frameHeaders(frame) };
      const outcome = await publisher.attempt(whole, HANG_MS_MAX);
      assert.equal(outcome.verdict, 'stored');
      return frame;
    }

    before(async () => {
      server = await NatsServer.start({ version });
      connection = new JetStreamConnection({
        servers: [server.url],
        clientName: 'search',
        prepare: (nc) => declareJournal(nc, declarations(names, FRAMES), 1),
        log: () => {},
      });
      await connection.ready;
      publisher = connection.publisher;
      search = new StreamSearch(connection, names);
      startedMs = Date.now();
      // As when NATS is back after an hour: nine frames from the spool for each fresh one, and gaps.
      for (let i = 0; i < 800; i++) {
        if (i % 10 === 0) freshOnes.push(await put(Date.now()));
        else spooledOnes.push(await put(startedMs - HOUR_MS + i * 10));
      }
      slow = await put(startedMs);
      spooledOnes.push(slow);
      slowMs = Date.now() - startedMs;
      await withManager(server, async (manager) => {
        for (const seq of [1, 3, 4, 5, 200, 201, 202, 203, 799]) {
          const message = await manager.streams.getMessage(names.stream, { seq });
          const id = message?.header.get('Nats-Msg-Id');
          for (const list of [freshOnes, spooledOnes]) {
            const place = list.findIndex((frame) => frame.id === id);
            if (place >= 0) list.splice(place, 1);
          }
          await manager.streams.deleteMessage(names.stream, seq);
        }
      });
    });

    after(async () => {
      await connection.close();
      await server.stop();
    });

    it('finds each fresh frame among those stored at its time', async () => {
      for (const { id } of freshOnes) {
        const timeMs = frameTimeMs(id);
        let isFound = false;
        for await (const { frameId } of search.stored(timeMs, timeMs + 2000)) {
          isFound ||= frameId === id;
        }
        assert.ok(isFound, id);
      }
    });

    it('returns all frames stored since a time, in order', async () => {
      const found: string[] = [];
      const seqs: number[] = [];
      for await (const { frameId, seq } of search.stored(startedMs)) {
        found.push(frameId);
        seqs.push(seq);
      }
      const all = [...freshOnes, ...spooledOnes].map(({ id }) => id);
      assert.deepEqual(found.toSorted(), all.toSorted());
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
      );
    });

    it('returns nothing for the future, and before the first frame only what clock differences allow', async () => {
      const [found, early]: [string[], string[]] = [[], []];
      for await (const { frameId } of search.stored(Date.now() + HOUR_MS)) found.push(frameId);
      // The one before it, which may be the last message.
      assert.ok(found.length <= 1);
      const beforeMs = startedMs - HOUR_MS;
      for await (const { frameId } of search.stored(beforeMs, beforeMs)) early.push(frameId);
      assert.deepEqual(early, []);
    });

    it('finds each waiting frame with its number of orders, and no frame for an unused id', async () => {
      const waiting = new FrameLookup(search, 2000);
      for (const { id } of freshOnes) assert.equal(await waiting.ordersOf(id), 2);
      // Remembered, and found by its sequence number.
      assert.equal(await waiting.ordersOf(freshOnes[7]!.id), 2);
      const nobodys = new FrameIds().next(frameTimeMs(freshOnes[40]!.id));
      assert.equal(await waiting.ordersOf(nobodys), 0);
    });

    it('does not call a frame unknown when too many were stored at its time', async () => {
      const waiting = new FrameLookup(search, 2000, 100);
      const nobodys = new FrameIds().next(frameTimeMs(freshOnes[0]!.id));
      await assert.rejects(waiting.ordersOf(nobodys), /too many/);
      // An id from the future was made before the clock was set back: its time means nothing.
      await assert.rejects(waiting.ordersOf(new FrameIds().next(Date.now() + HOUR_MS)), /clock/);
    });

    it('answers after repeated calls, each at a bounded cost', async () => {
      const [scanMax, spans] = [40, 2];
      let reads = 0;
      const counted = {
        at: (seq: number) => search.at(seq),
        size: () => search.size(),
        async *stored(...span: Parameters<StreamSearch['stored']>) {
          for await (const found of search.stored(...span)) {
            reads++;
            yield found;
          }
        },
      };
      const waiting = new FrameLookup(counted, slowMs, scanMax);
      async function told(id: string): Promise<number> {
        for (const endMs = Date.now() + HANG_MS_MAX; ; await sleep(10)) {
          const before = reads;
          try {
            return await waiting.ordersOf(id);
          } catch (error) {
            assert.match((error as Error).message, /too many/);
            assert.ok(reads <= before + spans * scanMax);
            assert.ok(Date.now() < endMs, 'no answer in time');
          }
        }
      }
      const nobodys = new FrameIds().next(startedMs);
      assert.equal(await told(nobodys), 0);
      assert.ok(reads > 700);
      // An answer once given is not withdrawn.
      assert.equal(await waiting.ordersOf(nobodys), 0);
      assert.equal(await told(slow.id), 2);
    });

    it('searches a few at once, queues some and refuses the rest; one search per frame', async () => {
      const waiting = new FrameLookup(search, 2000);
      const nobodys = Array.from({ length: 200 }, () => new FrameIds().next(startedMs));
      const asked = nobodys.map((id) => waiting.ordersOf(id));
      const ends = await Promise.allSettled(asked);
      const refused = ends.filter(({ status }) => status === 'rejected');
      assert.equal(refused.length, 200 - 8 - 64);
      const same = Array.from({ length: 200 }, () => waiting.ordersOf(nobodys[0]!));
      assert.deepEqual(new Set(await Promise.all(same)), new Set([0]));
    });

    it('finds frames after the clock was set back, in a small stream', async () => {
      await withManager(server, async (manager) => {
        await manager.streams.purge(names.stream);
      });
      const ahead = await put(Date.now() + HOUR_MS);
      const late = spooledOnes[0]!;
      await put(late.acceptedAtMs);
      const waiting = new FrameLookup(search, 2000);
      assert.equal(await waiting.ordersOf(ahead.id), 2);
    });
  });
}
