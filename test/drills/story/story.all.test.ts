import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { quantilesOf } from '../../../drills/story/figures.js';
import type { ModeRecord, StoryRecord } from '../../../drills/story/record.js';
import type { StoryAnswers } from '../../../drills/story/run.js';
import { expectedArrivals } from '../../../k6/lib/sine.js';
import { endAll, stillRunning } from '../../bench/process-tree.js';
import { runForebay } from '../../support/forebay.js';
import { eventually } from '../../support/orders.js';
import { assertPageAgrees } from './agreement.js';
import { assertSelfContained, assertWellFormed, dataOf } from './html.js';

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const SHORT = ['--period-s', '8', '--periods', '1'];
interface Place {
  readonly out: string;
  /** TMPDIR of the command, which must leave nothing in it. */
  readonly scratch: string;
}

function makePlace(t: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'forebay-story-test-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return { out: join(root, 'out'), scratch: mkdtempSync(join(root, 'tmp-')) };
}

function written({ out }: Place) {
  const html = readFileSync(join(out, 'index.html'), 'utf8');
  const json = JSON.parse(readFileSync(join(out, 'story.json'), 'utf8')) as StoryRecord & {
    answers: StoryAnswers;
  };
  const { answers, ...record } = json;
  return { html, record: record as StoryRecord, answers };
}

function assertNothingLeft(place: Place): void {
  assert.deepEqual(readdirSync(place.scratch), []);
  assert.deepEqual(runningIn(place), []);
}

/** Servers and k6 have a path in the scratch folder on their command lines. */
function runningIn({ scratch }: Place): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => commandLine(pid).includes(scratch));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Holds the record against the single answers. */
function assertAddsUp(record: ModeRecord, answers: StoryAnswers['direct'], offered: number): void {
  const of = (wanted: string) => answers.filter(({ outcome }) => outcome === wanted);
  // On a busy machine, k6 starts fewer.
  const [least, most] = [0.8 * offered, 1.01 * offered];
  assert.ok(least <= record.offered && record.offered <= most, `offered ${record.offered}`);
  assert.equal(answers.length, record.offered - record.dropped);
  assert.equal(record.created, of('created').length);
  assert.equal(record.refused, of('refused').length);
  // On a busy machine, orders that do not start in time are answered 503.
  assert.equal(record.other, of('other').length);
  const latencies = (outcome: string) => quantilesOf(of(outcome).map(({ latencyMs }) => latencyMs));
  assert.deepEqual(record.latencyMs.created, latencies('created'));
  assert.deepEqual(record.latencyMs.refused, latencies('refused'));
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  assert.equal(sum(record.histogram.created.counts), record.created);
  assert.equal(sum(record.histogram.refused.counts), record.refused);
  const inAllSeconds = (what: 'created' | 'refused' | 'processed') =>
    sum(record.seconds.map((second) => second[what]));
  assert.equal(inAllSeconds('created'), record.created);
  assert.equal(inAllSeconds('refused'), record.refused);
  assert.equal(inAllSeconds('processed'), record.server.done);
}

function assertStory(
  { html, record, answers }: ReturnType<typeof written>,
  code: number | null,
): void {
  const { direct, queue } = record;
  const due = expectedArrivals(record.wave);
  assertAddsUp(direct, answers.direct, due);
  assertAddsUp(queue, answers.queue, due);
  assert.ok(direct.refused > 0);
  assert.equal(direct.server.done, direct.created);
  assert.equal(queue.created, queue.offered);
  assert.equal(queue.server.done, queue.offered);
  assert.equal(queue.server.pendingOrdersEnd, 0);
  assert.ok(queue.server.pendingOrdersMax > 0);
  // The temporary folder can be in memory.
  assert.match(queue.durability, /^(fsync|none)$/);

  const failed = [direct, queue]
    .flatMap(({ verdicts }) => verdicts)
    .filter(({ ok }) => !ok)
    .map(({ text }) => text);
  assert.deepEqual(failed, []);
  assert.equal(code, 0);
  assert.equal(record.ok, true);

  assertWellFormed(html);
  assertSelfContained(html);
  assert.deepEqual(dataOf(html), record);
  assertPageAgrees(html, record);
}

describe('forebay story', () => {
  it('measures both modes and writes what it measured', async (t) => {
    const own = makePlace(t);
    const args = ['story', ...SHORT, '--generator', 'built-in', '--out', own.out];
    // A server option in the environment must not change what is measured.
    const env = { TMPDIR: own.scratch, FOREBAY_RPS_LIMIT: '3' };
    const { code, stdout, stderr } = await runForebay(args, env);
    assert.equal(stderr, '');
    assertStory(written(own), code);
    assertNothingLeft(own);
    assert.match(stdout, /^ *\d+ % {2}with a queue \d+ s {2}200: /m);
    assert.match(stdout, /^file:\/\/\/\S+index\.html$/m);
    const { record } = written(own);
    assert.equal(record.generator, 'the built-in generator');
    assert.equal(record.command, `npm run story -- ${args.slice(1).join(' ')}`);
  });

  it('does so with real k6', async (t) => {
    const tools = new URL('../../../../scripts/tools.mjs', import.meta.url).href;
    const { ensureTool } = await import(tools);
    const k6: string = await ensureTool('k6');
    const own = makePlace(t);
    const args = ['story', ...SHORT, '--generator', 'k6', '--out', own.out];
    const path = `${dirname(k6)}${delimiter}${process.env.PATH}`;
    const { code, stderr } = await runForebay(args, { TMPDIR: own.scratch, PATH: path });
    assert.equal(stderr, '');
    assertStory(written(own), code);
    assertNothingLeft(own);
    const { record } = written(own);
    assert.match(record.generator, /^k6 \d/);
    assert.match(record.direct.loadCommand, /^k6 run -e MODE=direct -e PERIOD=8 .*k6\/sine\.js$/);
  });

  it('leaves nothing when it is stopped', async (t) => {
    const own = makePlace(t);
    const { child, closed } = await begun(t, own);
    child.kill('SIGINT');
    const [code] = await closed;
    assert.equal(code, 130);
    assertNothingLeft(own);
    assert.ok(!existsSync(join(own.out, 'index.html')));
  });

  it('leaves nothing when it is killed', async (t) => {
    const own = makePlace(t);
    const { child, closed } = await begun(t, own);
    const servers = runningIn(own).map(Number);
    assert.equal(servers.length, 1);
    t.after(() => endAll(servers));
    child.kill('SIGKILL');
    await closed;
    assert.deepEqual(await stillRunning(servers), []);
    await eventually('its folder is gone', () => readdirSync(own.scratch).length === 0);
  });

  it('leaves nothing when its server dies, and reports it in one line', async (t) => {
    const own = makePlace(t);
    const { closed, stderr } = await begun(t, own);
    const servers = runningIn(own);
    assert.equal(servers.length, 1);
    process.kill(Number(servers[0]), 'SIGKILL');
    const [code] = await closed;
    assert.equal(code, 1);
    assert.match(stderr(), /^forebay: story: the server ended \(SIGKILL\) while [^\n]*\n$/);
    assertNothingLeft(own);
    assert.ok(!existsSync(join(own.out, 'index.html')));
  });

  it('says in one line which folder cannot be made', async (t) => {
    const { out } = makePlace(t);
    const cannotBe = '/dev/null/folder';
    const ended = [
      await runForebay(['story', '--out', cannotBe]),
      await runForebay(['story', '--out', out], { TMPDIR: cannotBe }),
    ];
    for (const { code, stderr } of ended) {
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^forebay: story: [^\n]*(--out|TMPDIR)[^\n]*\/dev\/null\/folder[^\n]*\n$/,
      );
    }
  });
});

/** A story whose server runs and has been read. */
async function begun(t: TestContext, { out, scratch }: Place) {
  const child = spawn(process.execPath, [MAIN, 'story', '--generator', 'built-in', '--out', out], {
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  let [text, errors] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    errors += more;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error(`ended too early: ${text}${errors}`)));
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('without a queue')) resolve();
    });
  });
  return { child, closed, stderr: () => errors };
}
