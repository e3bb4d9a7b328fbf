import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from '../../drills/ledger/random.js';
import { GroupCommit } from '../../src/commit/group-commit.js';
import { type BatchClient, BatchIntake } from '../../src/intake/batch-intake.js';
import { type BatchFormat, BatchRun, type Handling } from '../../src/intake/batch-run.js';
import type { HttpReply } from '../../src/intake/http.js';
import type { Replies } from '../../src/intake/reply.js';
import { createCounts, ThreadCounts } from '../../src/metrics/count.js';
import { LineWithHeaders, NOTHING_KEPT } from '../../src/model/kept-headers.js';
import type { KeyedIntake } from '../../src/model/stages.js';
import { orderContract } from '../../src/schema/contract.js';
import { compileContract } from '../../src/schema/validator.js';
import { ManualAppender } from '../commit/manual-appender.js';
import { randomBody } from '../schema/bodies.js';

const seed = Number(process.env.FOREBAY_SEED ?? Date.now() % 2 ** 31);
const BATCHES = 400;
const ORDERS = 40;
const open = compileContract(orderContract);
const single = open();

interface Told {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly count?: number;
    readonly refused?: readonly number[];
    readonly faults?: readonly {
      index?: number;
      line?: number;
      pointer: string;
      keyword: string;
      name?: string;
    }[];
  };
}

const options = {
  frameOrdersMax: ORDERS,
  frameBytesMax: 1_000_000,
  waitingOrdersMax: 1000,
  framesInFlightMax: 4,
  commitMsMax: 60_000,
  threads: 1,
  limitStatus: '500',
} as const;

/** The intake of batches in front of a journal whose frames are seen. */
class Stages {
  readonly appender = new ManualAppender();
  readonly #batches: BatchIntake;

  constructor() {
    const counts = new ThreadCounts(createCounts(1), 0);
    this.#batches = new BatchIntake({
      validator: open(),
      committer: new GroupCommit(this.appender, options, counts, () => {}),
      keyed: null as unknown as KeyedIntake,
      lineWithHeaders: new LineWithHeaders(),
      limiter: null,
      meter: { hit: () => {} },
      options,
    });
  }

  /** The answer to a batch, and what was stored of it. */
  async post(
    format: BatchFormat,
    handling: Handling,
    body: Buffer,
  ): Promise<Told & { stored: string }> {
    const run = new BatchRun({ format, handling, sender: null });
    let answer = this.#batches.take(run, '', Uint8Array.from(body), body.length, {
      isGone: false,
      kept: NOTHING_KEPT,
      owner: '',
      accepted: (frameId, index) => {
        answer = run.created(frameId, index, false);
      },
      acceptedInPart: assert.fail,
      refused: assert.fail,
      ambiguous: assert.fail,
      replayed: assert.fail,
      keyReused: assert.fail,
    } satisfies BatchClient);
    const frames = this.appender.sent.length;
    if (answer === null) {
      while (this.appender.sent.length === frames) await new Promise(setImmediate);
      this.appender.sent.at(-1)!.resolve(null);
      await new Promise(setImmediate);
    }
    const text = this.appender.sent.length > frames ? this.appender.sent.at(-1)!.frame.payload : '';
    return { ...toldBy(answer!), stored: Buffer.from(text).toString('latin1') };
  }
}

function toldBy(answer: { write(res: HttpReply, replies: Replies): void }): Told {
  let told: Told | null = null;
  const detailed: Replies['detailed'] = (_res, name, headers, body) => {
    told = { name, headers: Object.fromEntries(headers), body: JSON.parse(body) };
  };
  answer.write(null as unknown as HttpReply, { detailed } as Replies);
  return told!;
}

/** What a single order gets: its line, or the value of `x-invalid`. */
function singleVerdicts(bodies: readonly Buffer[]): { line: string; fault: string }[] {
  const validator = single;
  return bodies.map((body) => {
    const bytes = Uint8Array.from(body);
    if (!validator.validate(bytes, 0, bytes.length)) return { line: '', fault: validator.fault };
    const target = Buffer.alloc(validator.compactLength);
    validator.writeTo(target, 0);
    return { line: target.toString('latin1'), fault: '' };
  });
}

for (const format of ['lines', 'array'] as const) {
  it(`the verdicts of a batch are those of its orders one by one: ${format}`, async (t) => {
    t.diagnostic(`FOREBAY_SEED=${seed}`);
    const random = new Random(seed);
    const stages = new Stages();
    let valid = 0;
    let invalid = 0;
    for (let i = 0; i < BATCHES; i++) {
      const bodies = bodiesFor(format, random);
      const singles = singleVerdicts(bodies);
      const bad = [...singles.entries()].filter(([, { fault }]) => fault !== '');
      const separator = Buffer.from(format === 'lines' ? '\n' : ',');
      const joined = Buffer.concat(
        bodies.flatMap((body, j) => (j === 0 ? [body] : [separator, body])),
      );
      const text =
        format === 'lines' ? joined : Buffer.concat([Buffer.from('['), joined, Buffer.from(']')]);
      const lines = singles.map(({ line }) => line).join('');
      const expected = bad.map(([index, { fault }]) => `${index} ${fault}`);

      const lenient = await stages.post(format, 'lenient', text);
      assert.deepEqual(faultsOf(lenient), expected, text.toString('latin1'));
      assert.equal(lenient.stored, lines);
      const isEmpty = bad.length === singles.length;
      assert.equal(lenient.name, isEmpty ? 'invalid' : 'created');
      if (!isEmpty) {
        assert.equal(lenient.body.count, singles.length - bad.length);
        assert.deepEqual(
          lenient.body.refused,
          bad.map(([index]) => index),
        );
      }

      const strict = await stages.post(format, '', text);
      assert.equal(strict.name, bad.length === 0 ? 'created' : 'invalid');
      assert.deepEqual(faultsOf(strict), expected);
      assert.equal(strict.stored, bad.length === 0 ? lines : '');
      valid += singles.length - bad.length;
      invalid += bad.length;
    }
    assert.ok(valid > BATCHES && invalid > BATCHES, `${valid} valid, ${invalid} invalid`);
  });
}

function faultsOf({ body }: Told): string[] {
  return (body.faults ?? []).map(({ index, pointer, keyword, name }) =>
    [index, pointer, keyword, ...(name === undefined ? [] : [name])].join(' '),
  );
}

/** Bodies that can be in a batch: lines have no line feed and are not blank; an array has JSON only. Some are all valid. */
function bodiesFor(format: BatchFormat, random: Random): Buffer[] {
  const onlyValid = random.once(4);
  const bodies: Buffer[] = [];
  const wanted = 1 + random.below(ORDERS);
  while (bodies.length < wanted) {
    const body = Buffer.from(randomBody(random), 'latin1');
    const { fault } = singleVerdicts([body])[0]!;
    if (onlyValid && fault !== '') continue;
    if (format === 'array' && ['/ json', '/ utf8'].includes(fault)) continue;
    if (format === 'lines' && (body.includes(0x0a) || body.toString('latin1').trim() === ''))
      continue;
    bodies.push(body);
  }
  return bodies;
}
