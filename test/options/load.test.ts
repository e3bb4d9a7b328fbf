import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EXIT, OperatorFault } from '../../src/model/fault.js';
import { loadOptions } from '../../src/options/load.js';
import { sharesPort } from '../../src/options/port-sharing.js';
import { schema } from '../../src/options/schema.js';
import {
  type AnySpec,
  environmentName,
  flagName,
  type NumberSpec,
} from '../../src/options/spec.js';

const folder = mkdtempSync(join(tmpdir(), 'forebay-options-'));
after(() => rmSync(folder, { recursive: true }));

function configFile(text: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(file, text);
  return file;
}

function faultOf(argv: string[], env: NodeJS.ProcessEnv = {}): string {
  try {
    loadOptions(argv, env);
  } catch (error) {
    assert.ok(error instanceof OperatorFault, String(error));
    assert.equal(error.exitCode, EXIT.usage);
    assert.ok(!error.message.includes('\n'), error.message);
    return error.message;
  }
  throw new assert.AssertionError({ message: `${argv} was accepted` });
}

test('without settings, the defaults apply', () => {
  const options = loadOptions([], {});
  const half = Math.max(1, Math.floor(availableParallelism() / 2));
  assert.equal(options.mode, 'queue');
  assert.equal(options.port, 3000);
  assert.equal(options.adminHost, '127.0.0.1');
  assert.equal(options.threads, process.platform === 'linux' ? half : 1);
  assert.equal(options.workers, half);
  assert.equal(options.drain, true);
  assert.deepEqual(options.nats, []);
  assert.deepEqual(Object.keys(options), Object.keys(schema));
});

test('the default of rps-limit is 50 in direct mode and none in queue mode', () => {
  assert.equal(loadOptions([], {}).rpsLimit, 0);
  assert.equal(loadOptions(['--mode', 'direct'], {}).rpsLimit, 50);
  assert.equal(loadOptions([], { FOREBAY_MODE: 'direct' }).rpsLimit, 50);
  assert.equal(loadOptions(['--mode=direct', '--rps-limit=0'], {}).rpsLimit, 0);
});

test('a flag overrides the environment, which overrides the file', () => {
  const config = configFile('{"port": 1, "admin-port": 1, "work-ms": 1}');
  const env = { FOREBAY_PORT: '2', FOREBAY_ADMIN_PORT: '3', FOREBAY_CONFIG: config };
  const options = loadOptions(['--port', '4'], env);
  assert.deepEqual([options.port, options.adminPort, options.workMs], [4, 3, 1]);
});

test('--config overrides FOREBAY_CONFIG', () => {
  const env = { FOREBAY_CONFIG: configFile('{"port": 1}') };
  assert.equal(loadOptions(['--config', configFile('{"port": 2}')], env).port, 2);
});

test('--name value and --name=value are equal, and the last of two wins', () => {
  assert.equal(loadOptions(['--port', '1', '--port=2'], {}).port, 2);
  assert.equal(loadOptions(['--data=a=b'], {}).data, 'a=b');
});

test('every number accepts both ends of its range and nothing beyond, from every source', () => {
  const companions: Record<string, string[]> = {
    retryMsMin: ['--retry-ms-max', '86400000'],
    retryMsMax: ['--retry-ms-min', '1'],
    frameBytesMax: ['--body-bytes-max', '64'],
  };
  for (const [key, spec] of Object.entries(schema) as [keyof typeof schema, AnySpec][]) {
    if (spec.type !== 'integer' && spec.type !== 'number') continue;
    const flag = flagName(key);
    const rest = companions[key] ?? [];
    for (const value of [spec.min, spec.max]) {
      if (key === 'threads' && value > 1 && process.platform !== 'linux') continue;
      const config = configFile(JSON.stringify({ [flag]: value }));
      assert.equal(loadOptions([`--${flag}`, `${value}`, ...rest], {})[key], value);
      assert.equal(loadOptions(rest, { [environmentName(flag)]: `${value}` })[key], value);
      assert.equal(loadOptions([...rest, '--config', config], {})[key], value);
    }
    for (const value of refused(spec)) assertRefused(flag, value, spec, rest);
  }
});

function refused(spec: NumberSpec): (string | number)[] {
  const fraction = spec.type === 'integer' ? [`${spec.min + 0.5}`] : [];
  return [spec.min - 1, spec.max + 1, 'x', '0x10', '1e1', ' 7', 'NaN', 'Infinity', ...fraction];
}

function assertRefused(flag: string, value: string | number, spec: NumberSpec, rest: string[]) {
  const config = configFile(JSON.stringify({ [flag]: value }));
  const range = `from ${spec.min} to ${spec.max}`;
  const variable = environmentName(flag);
  for (const [message, origin] of [
    [faultOf([`--${flag}`, `${value}`, ...rest]), 'command line'],
    [faultOf(rest, { [variable]: `${value}` }), variable],
    [faultOf([...rest, '--config', config]), config],
  ]) {
    assert.ok(message.startsWith(`--${flag} `), message);
    for (const part of [`${value}`, `(${origin})`, range])
      assert.ok(message.includes(part), message);
  }
}

test('the error line reads as documented', () => {
  assert.equal(
    faultOf(['--port', '70000']),
    '--port 70000 (command line): must be a whole number from 0 to 65535',
  );
  assert.equal(
    faultOf([], { FOREBAY_MODE: 'fast' }),
    '--mode fast (FOREBAY_MODE): must be queue or direct',
  );
  assert.equal(faultOf(['--drain', 'yes']), '--drain yes (command line): must be on or off');
});

test('an unknown option is named, with the closest known one', () => {
  assert.equal(faultOf(['--bogus', '1']), '--bogus: unknown option; see --help');
  assert.equal(faultOf(['--x']), '--x: unknown option; see --help');
  assert.match(faultOf(['--config', configFile('{"bogus": 5}')]), /unknown option; see --help$/);
  assert.equal(faultOf(['--prot', '1']), '--prot: unknown option; did you mean --port?');
  assert.match(faultOf(['--rpslimit=1']), /did you mean --rps-limit\?$/);
  assert.match(faultOf(['--confg', 'x']), /did you mean --config\?$/);
  assert.match(
    faultOf(['--config', configFile('{"rpsLimit": 5}')]),
    /^"rpsLimit" in .*: unknown option; did you mean "rps-limit"\?$/,
  );
});

test('a misspelt variable is refused; variables of other programs are ignored', () => {
  assert.equal(
    faultOf([], { FOREBAY_RPS_LIMT: '5' }),
    'FOREBAY_RPS_LIMT: unknown variable; did you mean FOREBAY_RPS_LIMIT?',
  );
  loadOptions([], { FOREBAY_SERVICE_HOST: '10.0.0.1', FOREBAY_SEED: '1', FOREBAY_PROMTOOL: 'x' });
});

test('an empty variable counts as unset; an empty flag is refused', () => {
  assert.equal(loadOptions([], { FOREBAY_PORT: '', FOREBAY_CONFIG: '' }).port, 3000);
  assert.match(faultOf(['--port=']), /^--port: missing value/);
});

test('a flag without value and an argument that is not a flag are refused', () => {
  assert.match(faultOf(['--port']), /^--port: missing value/);
  assert.match(faultOf(['--port', '--mode', 'queue']), /^--port: missing value/);
  assert.match(faultOf(['8080']), /^"8080": not an option/);
  assert.match(faultOf(['-p']), /^"-p": not an option/);
});

test('inherited property names are not options', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.match(faultOf([`--${name}`, '1']), /unknown option/);
    assert.match(faultOf(['--config', configFile(`{"${name}": 1}`)]), /unknown option/);
  }
});

test('lists are comma separated, or a JSON array', () => {
  const urls = ['nats://a:4222', 'tls://b', 'c:4222'];
  assert.deepEqual(loadOptions(['--nats', 'nats://a:4222, tls://b,c:4222'], {}).nats, urls);
  const config = configFile(JSON.stringify({ nats: urls }));
  assert.deepEqual(loadOptions(['--config', config], {}).nats, urls);
  assert.match(faultOf(['--nats', 'http://a']), /must be NATS URLs/);
  assert.match(faultOf(['--nats', 'a,,b']), /must be NATS URLs/);
});

test('the error is one line without credentials, whatever the value', () => {
  for (const url of ['nats://me:secret@a', 'me:secret@a', 'http://token-secret@a']) {
    assert.ok(!faultOf(['--nats', `${url},http://x`]).includes('secret'));
  }
  assert.ok(faultOf(['--mode', `a\nb${'x'.repeat(5000)}`]).length < 200);
});

test('a config file that is missing, invalid or not an object is refused with one line that names it', () => {
  const missing = join(folder, 'missing.json');
  assert.ok(faultOf(['--config', missing]).includes(`"${missing}": there is no such file; name`));
  assert.match(
    faultOf(['--config', configFile('{\n"port": }')]),
    /^--config .*: it is not JSON(?: at position \d+[^;]*)?; name a file/,
  );
  for (const text of ['[]', 'null', '3']) {
    assert.match(faultOf(['--config', configFile(text)]), /must contain a JSON object/);
  }
});

test('in a config file, a value of the wrong JSON type is refused', () => {
  assert.match(faultOf(['--config', configFile('{"port": true}')]), /^--port true/);
  assert.match(faultOf(['--config', configFile('{"port": null}')]), /^--port null/);
  assert.match(faultOf(['--config', configFile('{"data": 3}')]), /^--data 3/);
  assert.match(faultOf(['--config', configFile('{"drain": 1}')]), /^--drain 1/);
});

test('options that contradict each other are refused', () => {
  assert.equal(
    faultOf(['--retry-ms-min', '70000']),
    '--retry-ms-min 70000 (command line): must be at most --retry-ms-max (60000)',
  );
  assert.match(
    faultOf(['--frame-bytes-max', '4096']),
    /^--frame-bytes-max 4096 .*more than --body-bytes-max \(4096\)$/,
  );
  assert.equal(loadOptions(['--frame-bytes-max', '4097'], {}).frameBytesMax, 4097);
  // By default, a frame has room for the longest body.
  assert.equal(loadOptions(['--body-bytes-max', '4096'], {}).frameBytesMax, 262_144);
  assert.equal(loadOptions(['--body-bytes-max', '1048576'], {}).frameBytesMax, 1_064_960);
  assert.match(faultOf(['--body-bytes-max', 'x']), /^--body-bytes-max x .*must be a whole number/);
  assert.match(faultOf(['--body-bytes-max', '1048577']), /^--body-bytes-max 1048577 .*must be/);
});

test('the two ports must differ, unless both are 0 or the hosts differ', () => {
  assert.match(faultOf(['--port', '3001']), /^--admin-port 3001 \(default\): must not be the same/);
  loadOptions(['--port', '0', '--admin-port', '0'], {});
  loadOptions(['--host', '10.0.0.1', '--port', '3001'], {});
});

test('the options are deeply frozen', () => {
  const options = loadOptions(['--nats', 'a'], {});
  assert.ok(Object.isFrozen(options));
  assert.ok(Object.isFrozen(options.nats));
});

test('threads share a port on Linux; with node:http, since Node 23.1', () => {
  assert.equal(sharesPort('uws', 'linux', '20.15.0'), true);
  assert.equal(sharesPort('auto', 'linux', '20.15.0'), true);
  assert.equal(sharesPort('uws', 'darwin', '24.0.0'), false);
  assert.equal(sharesPort('node', 'darwin', '24.0.0'), false);
  for (const [version, shares] of [
    ['20.20.2', false],
    ['22.23.3', false],
    ['23.0.0', false],
    ['23.1.0', true],
    ['24.0.0', true],
  ] as const) {
    assert.equal(sharesPort('node', 'linux', version), shares, version);
  }
});

test('--http node takes one thread where threads cannot share a port', () => {
  if (sharesPort('node')) {
    assert.equal(loadOptions(['--http', 'node', '--threads', '2'], {}).threads, 2);
    return;
  }
  assert.equal(loadOptions(['--http', 'node'], {}).threads, 1);
  assert.equal(loadOptions(['--http', 'node', '--threads', '0'], {}).threads, 0);
  assert.match(
    faultOf(['--http', 'node', '--threads', '2']),
    /^--threads 2 \(command line\): must be 0 or 1 with --http node on Node \d/,
  );
});
