import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { OperatorFault } from '../../src/model/fault.js';
import { loadOptions, loadWithOrigins } from '../../src/options/load.js';
import { runForebay } from '../support/forebay.js';

function file(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'forebay-secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  return path;
}

function refuses(env: NodeJS.ProcessEnv, wanted: RegExp, argv: string[] = []): void {
  assert.throws(
    () => loadOptions(argv, env),
    (error: OperatorFault) => {
      assert.ok(error instanceof OperatorFault);
      assert.doesNotMatch(error.message, /\n|s3cret/);
      assert.match(error.message, wanted);
      return true;
    },
  );
}

describe('variables that Kubernetes sets for a Service', () => {
  const service = (name: string, port: number) => {
    const of = `FOREBAY${name}_PORT_${port}_TCP`;
    return {
      [`FOREBAY${name}_SERVICE_HOST`]: '10.96.0.12',
      [`FOREBAY${name}_SERVICE_PORT`]: `${port}`,
      [`FOREBAY${name}_SERVICE_PORT_ORDERS`]: `${port}`,
      [`FOREBAY${name}_PORT`]: `tcp://10.96.0.12:${port}`,
      [of]: `tcp://10.96.0.12:${port}`,
      [`${of}_PROTO`]: 'tcp',
      [`${of}_PORT`]: `${port}`,
      [`${of}_ADDR`]: '10.96.0.12',
    };
  };

  for (const name of ['', '_ADMIN', '_NATS', '_POSTGRES_URL', '_HOST', '_DATA']) {
    it(`of forebay${name.toLowerCase().replaceAll('_', '-')} are ignored, and named`, () => {
      const env = service(name, 3000);
      const { options, given, ofKubernetes } = loadWithOrigins([], env);
      assert.deepEqual(options, loadOptions([], {}));
      assert.equal(given.size, 0);
      assert.deepEqual([...ofKubernetes].sort(), Object.keys(env).sort());
    });
  }

  it('do not hide what the operator sets', () => {
    const env = { ...service('', 3000), FOREBAY_PORT: '8080' };
    assert.equal(loadOptions([], env).port, 8080);
    refuses({ ...env, FOREBAY_PORT: 'garbage' }, /--port garbage \(FOREBAY_PORT\)/);
    refuses({ FOREBAY_ADMIN_PORT: '70000' }, /--admin-port/);
    for (const value of ['udp://[fd00::1]:3000', 'sctp://10.0.0.1:3000']) {
      assert.equal(loadOptions([], { FOREBAY_PORT: value }).port, 3000);
    }
  });

  it('are reported by check and by the log of serve', async () => {
    const env = service('', 3000);
    const flags = ['--port', '0', '--admin-port', '0', '--mode', 'direct'];
    const check = await runForebay(['check', ...flags], env);
    assert.match(check.stdout, /^ok +variables +FOREBAY_.*of a Kubernetes Service, ignored$/m);
    // Ends the start after the line is logged.
    const bad = [...flags, '--handler', '/no/such/handler.mjs', '--log-format', 'json'];
    const { stderr } = await runForebay(['serve', ...bad], env);
    assert.equal(stderr.match(/"event":"variables-ignored"/g)?.length, 1, stderr);
    assert.match(stderr, /FOREBAY_PORT_3000_TCP_PROTO/);
  });
});

describe('the defaults of a large machine', () => {
  for (const cores of [1, 2, 3, 64, 129, 192, 512, 1024, 4096]) {
    it(`${cores} cores: threads and workers are in range`, () => {
      const { threads, workers } = loadWithOrigins([], {}, cores).options;
      const half = Math.max(1, Math.floor(cores / 2));
      assert.equal(workers, Math.min(half, 256));
      if (process.platform === 'linux') assert.equal(threads, Math.min(half, 64));
    });
  }
});

describe('a secret in a file', () => {
  const URL = 'nats://bay:s3cret@host:4222';

  it('is the value of the option, without the line feed at its end', (t) => {
    for (const end of ['', '\n', '\r\n']) {
      const env = { FOREBAY_NATS_FILE: file(t, `${URL}${end}`) };
      const { options, given, exposed } = loadWithOrigins([], env);
      assert.deepEqual(options.nats, [URL]);
      assert.equal(given.get('nats')!.origin, 'FOREBAY_NATS_FILE');
      assert.deepEqual(exposed, []);
    }
    const env = {
      FOREBAY_NATS_MONITOR_FILE: file(t, 'http://bay:s3cret@host:8222\n'),
      FOREBAY_POSTGRES_URL_FILE: file(t, 'postgres://bay:s3cret@host/db\n'),
    };
    const options = loadOptions([], env);
    assert.deepEqual(options.natsMonitor, ['http://bay:s3cret@host:8222']);
    assert.equal(options.postgresUrl, 'postgres://bay:s3cret@host/db');
  });

  it('is overridden by a flag, and overrides the configuration file', (t) => {
    const env = {
      FOREBAY_NATS_FILE: file(t, URL),
      FOREBAY_CONFIG: file(t, '{"nats": "nats://other:4222"}'),
    };
    assert.deepEqual(loadOptions([], env).nats, [URL]);
    assert.deepEqual(loadOptions(['--nats', 'nats://flag:4222'], env).nats, ['nats://flag:4222']);
  });

  it('is refused together with the variable, and if the file is missing, empty, a folder or wrong', (t) => {
    const both = { FOREBAY_NATS: URL, FOREBAY_NATS_FILE: file(t, URL) };
    refuses(both, /FOREBAY_NATS.* and FOREBAY_NATS.* are both set: unset one/);
    refuses(
      { FOREBAY_NATS_FILE: '/no/such' },
      /FOREBAY_NATS_FILE "\/no\/such": there is no such file/,
    );
    refuses({ FOREBAY_NATS_FILE: file(t, '\n') }, /the file is empty/);
    refuses({ FOREBAY_NATS_FILE: tmpdir() }, /FOREBAY_NATS_FILE .*it is a folder/);
    refuses(
      { FOREBAY_NATS_FILE: file(t, 'nats://bay:s3cret/x@h') },
      /nats:\/\/\*\*\*@h.*FOREBAY_NATS_FILE/,
    );
  });

  it('has no variable for options that hold no secret', (t) => {
    const env = { FOREBAY_PORT_FILE: file(t, '8080') };
    assert.equal(loadOptions([], env).port, 3000);
  });
});

describe('a password on the command line', () => {
  const exposed = (argv: string[]) => loadWithOrigins(argv, {}).exposed;

  it('is known as such, and nothing else is', () => {
    assert.deepEqual(exposed(['--nats', 'nats://bay:s3cret@h']), ['nats']);
    assert.deepEqual(exposed(['--nats', 'nats://t0ken@h']), ['nats']);
    assert.deepEqual(exposed(['--postgres-url', 'postgres:///db?password=s3cret']), [
      'postgresUrl',
    ]);
    assert.deepEqual(
      exposed(['--nats', 'nats://h:4222', '--postgres-url', 'postgres://bay@h/db']),
      [],
    );
    assert.deepEqual(loadWithOrigins([], { FOREBAY_NATS: 'nats://bay:s3cret@h' }).exposed, []);
  });
});
