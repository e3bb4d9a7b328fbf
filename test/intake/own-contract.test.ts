import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { serve } from '../../src/index.js';
import { loadContract } from '../../src/schema/load-contract.js';
import { runCheck } from '../cli/check/run-check.js';
import { ENGINES } from '../support/engines.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { eventually, metric } from '../support/orders.js';

const EVENT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['id', 'type'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    type: { enum: ['paid', 'refunded'] },
    amount: { type: 'number', minimum: 0 },
    items: {
      type: 'array',
      maxItems: 3,
      items: {
        type: 'object',
        required: ['qty'],
        properties: { qty: { type: 'integer', minimum: 1 } },
        additionalProperties: false,
      },
    },
    note: true,
  },
  additionalProperties: false,
};

const ID = '0190b2f6-9a58-7cc2-8b4f-1f2d3c4b5a69';
/** Bodies, and the value of `x-invalid`; empty for those that are accepted. */
const EVENTS: readonly (readonly [string, string])[] = [
  [`{"id":"${ID}","type":"paid"}`, ''],
  [`\t{ "type" : "refunded",\r\n "id":"${ID}" , "amount" : 12.50 , "note":[[1],{"a":null}] } `, ''],
  [`{"id":"${ID}","type":"paid","note":{"text":"a \\"b\\" ünï \\u0041 { , }","n":1e2}}`, ''],
  [`{"id":"${ID}","type":"paid","amount":12345678901234567890.10}`, ''],
  [`{"id":"${ID}","type":"lost"}`, '/type enum'],
  [`{"id":"${ID}"}`, '/ required type'],
  [`{"id":"nobody","type":"paid"}`, '/id format'],
  [`{"id":"${ID}","type":"paid","items":[{"qty":1},{"qty":0}]}`, '/items/1/qty minimum'],
  [`{"id":"${ID}","type":"paid","items":[{"qty":1,"price":1}]}`, '/items/0 additionalProperties'],
  [`{"id":"${ID}","type":"paid","type":"paid"}`, '/ duplicate'],
  [`{"id":"${ID}","type":"paid","note":{"a":{"b":1,"b":2}}}`, '/ duplicate'],
  [`[]`, '/ type'],
  [`{"id":"${ID}","type":"paid","note":${'['.repeat(63)}${']'.repeat(63)}}`, ''],
  [`{"id":"${ID}","type":"paid","note":${'['.repeat(64)}${']'.repeat(64)}}`, '/ depth'],
];

let folder = '';
let schemaFile = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forebay-contract-'));
  schemaFile = join(folder, 'event.schema.json');
  await writeFile(schemaFile, JSON.stringify(EVENT));
});
after(() => rm(folder, { recursive: true }));

/** A handler that writes each order's data as one line of JSON. */
async function dataHandler(
  name: string,
): Promise<{ file: string; data: () => Promise<unknown[]> }> {
  const [file, ledger] = [join(folder, `${name}.mjs`), join(folder, `${name}.ndjson`)];
  await writeFile(ledger, '');
  await writeFile(
    file,
    `import { appendFileSync } from 'node:fs';
export default (orders) => {
  const lines = orders.map(({ id, data }) => JSON.stringify([id, data]) + '\\n');
  appendFileSync(${JSON.stringify(ledger)}, lines.join(''));
};
`,
  );
  const data = async () =>
    (await readFile(ledger, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return { file, data };
}

async function post(forebay: ForebayProcess, path: string, body: string) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${forebay.url}${path}`, { method: 'POST', headers, body });
  const { status } = answer;
  const id = answer.headers.get('x-order-id') ?? '';
  return { status, id, fault: answer.headers.get('x-invalid') ?? '' };
}

for (const { http, skip } of ENGINES) {
  describe(`--schema with --http ${http}`, { skip }, () => {
    it('answers by the schema, and hands over what was sent', async (t) => {
      const handler = await dataHandler(`event-${http}`);
      const flags = ['--schema', schemaFile, '--path', '/events', '--handler', handler.file];
      const forebay = await startForebay([...flags, '--http', http], { owner: t });
      const accepted = new Map<string, unknown>();
      for (const [body, fault] of EVENTS) {
        const answer = await post(forebay, '/events', body);
        assert.deepEqual([answer.status, answer.fault], [fault === '' ? 200 : 400, fault], body);
        if (fault === '') accepted.set(answer.id, JSON.parse(body));
      }
      await eventually('all are processed', async () => {
        return (await metric(forebay, 'work_done_total{status="done"}')) === accepted.size;
      });
      const data = (await handler.data()) as [string, unknown][];
      assert.deepEqual(new Map(data), accepted);
    });

    it('true takes any JSON object, and nothing else', async (t) => {
      const handler = await dataHandler(`any-${http}`);
      const flags = ['--schema', 'true', '--handler', handler.file, '--http', http];
      const forebay = await startForebay(flags, { owner: t });
      const bodies = ['{}', '{"a":[1,2,{"b":null}]}', `{"a":"${'x'.repeat(4000)}"}`];
      for (const body of bodies) assert.equal((await post(forebay, '/orders', body)).status, 200);
      for (const body of ['[]', '1', 'null', '"a"', '{', '{"a":1,"a":2}', '']) {
        assert.equal((await post(forebay, '/orders', body)).status, 400, body);
      }
      await eventually('all are processed', async () => (await handler.data()).length === 3);
    });

    it('--body-depth-max bounds how deep a body is', async (t) => {
      const flags = ['--schema', 'true', '--body-depth-max', '2', '--http', http];
      const forebay = await startForebay(flags, { owner: t });
      assert.equal((await post(forebay, '/orders', '{"a":[1]}')).status, 200);
      const deep = await post(forebay, '/orders', '{"a":[[1]]}');
      assert.deepEqual([deep.status, deep.fault], [400, '/ depth']);
    });
  });
}

describe('a schema that cannot be used', () => {
  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['no JSON', '{"type":"object"', /not JSON/],
    ['no schema', '{"type":"strin"}', /\/type/],
    ['an unknown keyword', '{"type":"object","propertys":{}}', /propertys/],
    ['a reference to nothing', '{"$ref":"#/$defs/a"}', /\$ref/],
    ['false', 'false', /accepts no body/],
  ];
  for (const [name, text, message] of broken) {
    it(`such as ${name}, gets one line and exit code 2, the same from serve, check and the package`, async () => {
      const file = join(folder, `broken-${broken.findIndex(([other]) => other === name)}.json`);
      await writeFile(file, text);
      const { code, stderr, stdout } = await runForebay(['serve', '--schema', file]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^forebay: --schema ${file}: [^\\n]+; fix: [^\\n]+\\n$`));
      assert.match(stderr, message);
      const line = stderr.slice('forebay: '.length, -1);
      await assert.rejects(serve({ schema: file, logLevel: 'silent' }), { message: line });
      const data = join(folder, 'none');
      const checked = await runCheck('--schema', file, '--data', data);
      assert.equal(checked.code, 2);
      const [problem, fix] = line.split('; fix: ');
      const found = checked.about('schema');
      assert.deepEqual([found.verdict, found.text, found.fix], ['fail', problem, fix]);
    });
  }
});

describe('serve of the package', () => {
  it('takes a schema as a path, a file URL, or true', async (t) => {
    for (const schema of [schemaFile, pathToFileURL(schemaFile), true] as const) {
      const data = await mkdtemp(join(tmpdir(), 'forebay-contract-'));
      t.after(() => rm(data, { recursive: true }));
      const options = { schema, data, path: '/in', port: 0, adminPort: 0, host: '127.0.0.1' };
      const server = await serve({ ...options, logLevel: 'silent', threads: 0 });
      const send = (body: string) =>
        fetch(`${server.url}/in`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      assert.equal((await send(EVENTS[0]![0])).status, 200);
      assert.equal((await send('{"a":1}')).status, schema === true ? 200 : 400);
      const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
      const { digest } = loadContract(schema === true ? 'true' : schemaFile);
      assert.match(metrics, new RegExp(`forebay_build_info\\{.*path="/in",schema="${digest}"`));
      await server.close();
    }
  });
});
