import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { PostgresFault } from '../../workers/handlers/postgres-fault.js';
import { PostgresSink } from '../../workers/handlers/postgres-sink.js';
import { orderTable } from '../../workers/handlers/postgres-tables.js';
import { tlsPlan } from '../../workers/handlers/postgres-tls.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { PostgresServer } from '../support/postgres.js';

const MODES = ['', 'disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Which connections over TCP the server accepts. */
const RULES = {
  'no TLS': { ssl: 'off', hba: 'host all all all trust' },
  'TLS offered': { ssl: 'on', hba: 'host all all all trust' },
  'TLS required': { ssl: 'on', hba: 'hostssl all all all trust' },
  'TLS forbidden by its rules': { ssl: 'on', hba: 'hostnossl all all all trust' },
  'client certificate required': {
    ssl: 'on',
    hba: 'hostssl all all all trust clientcert=verify-ca',
  },
} as const;

let server: PostgresServer;
let authority: Authority;
let stranger: Authority;
let client: Certificate;
let home: string;

before(async () => {
  // Neither psql nor Forebay finds files of the user.
  home = mkdtempSync(join(tmpdir(), 'forebay-home-'));
  process.env.HOME = home;
  authority = new Authority();
  stranger = new Authority();
  client = authority.sign('client', 'DNS:client');
  chmodSync(client.key, 0o600);
  server = await PostgresServer.start();
});
after(async () => {
  await server.stop();
  authority.remove();
  stranger.remove();
  rmSync(home, { recursive: true, force: true });
});

/** Over the unix socket, whose rules stay. */
async function admin<R>(text: string): Promise<R[]> {
  const connection = new pg.Client({
    host: server.folder,
    port: server.port,
    user: 'postgres',
    database: 'postgres',
  });
  await connection.connect();
  try {
    return (await connection.query(text)).rows as R[];
  } finally {
    await connection.end();
  }
}

async function configure(rules: { ssl: string; hba: string }, { cert, key }: Certificate) {
  const data = join(server.folder, 'data');
  const { uid, gid } = statSync(data);
  for (const [from, name] of [
    [cert, 'server.crt'],
    [key, 'server.key'],
    [authority.ca, 'root.crt'],
  ] as const) {
    copyFileSync(from, join(data, name));
    chownSync(join(data, name), uid, gid);
    chmodSync(join(data, name), 0o600);
  }
  writeFileSync(join(data, 'pg_hba.conf'), `local all all trust\n${rules.hba}\n`);
  const before = await generation();
  await admin(`ALTER SYSTEM SET ssl = ${rules.ssl}`);
  await admin("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
  await admin('SELECT pg_reload_conf()');
  while ((await generation()) === before) await new Promise((done) => setTimeout(done, 10));
}

async function generation(): Promise<string> {
  const [row] = await admin<{ at: Date }>('SELECT pg_conf_load_time() AS at');
  return row!.at.toISOString();
}

/** `t` or `f`: connected, and whether with TLS; `refused`. */
async function psql(url: string): Promise<string> {
  const query = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  try {
    const flags = ['-XAt', '-d', url, '-c', query];
    const { stdout } = await promisify(execFile)('psql', flags, {
      env: { ...process.env, HOME: home },
    });
    return stdout.trim();
  } catch {
    return 'refused';
  }
}

async function forebay(url: string): Promise<string> {
  const sink = new PostgresSink(url, orderTable);
  let inspected = '';
  await sink.inspect().catch((error: PostgresFault) => {
    assert.ok(!error.message.includes('\n'), error.message);
    inspected = error.message;
  });
  try {
    await sink.open();
  } catch (error) {
    assert.ok(error instanceof PostgresFault);
    assert.equal(error.kind, 'setup', error.message);
    assert.notEqual(inspected, '', 'check must say the same');
    return 'refused';
  }
  assert.equal(inspected, '');
  const [row] = await admin<{ ssl: boolean }>(
    "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'forebay'",
  );
  // Ends the connection, so that the next one is found.
  await admin(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'forebay'",
  );
  while (
    (await admin("SELECT 1 FROM pg_stat_activity WHERE application_name = 'forebay'")).length > 0
  );
  return row!.ssl ? 't' : 'f';
}

function url(host: string, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString().replace(/%2F/g, '/');
  return `postgres://postgres@${host}:${server.port}/postgres${query === '' ? '' : `?${query}`}`;
}

describe('the handler postgres connects where psql connects, and refuses where psql refuses', () => {
  for (const [rule, rules] of Object.entries(RULES)) {
    it(`${rule}: every sslmode, with and without certificates`, async () => {
      await configure(rules, authority.sign('good', 'DNS:localhost,IP:127.0.0.1'));
      const outcomes = new Set<string>();
      for (const mode of MODES) {
        const sslmode = mode === '' ? {} : { sslmode: mode };
        for (const parameters of [
          sslmode,
          { ...sslmode, sslrootcert: authority.ca },
          { ...sslmode, sslrootcert: stranger.ca },
          { ...sslmode, sslcert: client.cert, sslkey: client.key },
          { ...sslmode, sslrootcert: join(home, 'missing') },
        ]) {
          const at = url('127.0.0.1', parameters);
          const wanted = await psql(at);
          const isWithoutFile = at.includes('missing') && mode !== 'disable';
          // Forebay reports a missing file even where psql does without it.
          assert.equal(await forebay(at), isWithoutFile ? 'refused' : wanted, at);
          outcomes.add(wanted);
        }
      }
      assert.ok(outcomes.size >= 2, [...outcomes].join());
    });
  }

  it('certificates for another host, for an address alone, and expired ones', async () => {
    const certificates = [
      authority.sign('other', 'DNS:other.example'),
      authority.sign('address', 'IP:127.0.0.1'),
      authority.sign('name', 'DNS:localhost'),
      authority.sign('expired', 'DNS:localhost,IP:127.0.0.1', -1),
    ];
    for (const certificate of certificates) {
      await configure(RULES['TLS required'], certificate);
      for (const sslmode of ['require', 'verify-ca', 'verify-full']) {
        for (const host of ['127.0.0.1', 'localhost']) {
          const at = url(host, { sslmode, sslrootcert: authority.ca });
          assert.equal(await forebay(at), await psql(at), `${at} ${certificate.cert}`);
        }
      }
    }
  });
});

describe('parameters of TLS in --postgres-url', () => {
  const plan = (query: string, env = {}) =>
    tlsPlan(`postgres://u@h/d${query}`, () => 'h', env, '/nowhere');
  const faults: readonly (readonly [string, RegExp])[] = [
    ['?sslmode=sometimes', /sslmode sometimes is not one of disable, allow, prefer/],
    ['?sslmode=verify-ca', /verify-ca needs sslrootcert=FILE/],
    ['?sslrootcert=/nowhere/ca', /sslrootcert \/nowhere\/ca cannot be read: ENOENT/],
    ['?sslcert=/nowhere/c&sslkey=/nowhere/k', /sslcert \/nowhere\/c cannot be read: ENOENT/],
    ['?sslrootcert=system&sslmode=require', /sslrootcert=system needs sslmode=verify-full/],
    ['?sslnegotiation=direct&sslmode=prefer', /direct needs sslmode=require or stronger/],
  ];
  for (const [query, expected] of faults) {
    it(`${query}: one line`, () => {
      assert.throws(
        () => plan(query),
        (error) => {
          assert.ok(error instanceof PostgresFault);
          assert.equal(error.kind, 'setup');
          assert.match(error.message, expected);
          return true;
        },
      );
    });
  }

  it('other parameters stay in the URL; the environment of psql counts; a unix socket has no TLS', () => {
    assert.equal(plan('?options=-c%20a%3Db').url, 'postgres://u@h/d?options=-c%20a%3Db');
    assert.equal(plan('?sslmode=disable&options=x').url, 'postgres://u@h/d?options=x');
    assert.equal(plan('?sslmode=disable').url, 'postgres://u@h/d');
    assert.deepEqual(plan('', { PGSSLMODE: 'disable' }).attempts, [false]);
    assert.equal(plan('').attempts.length, 2);
    assert.equal(plan('?ssl=true').attempts.length, 1);
    const socket = tlsPlan('postgres:///d?sslmode=require', () => '/run', {}, '/nowhere');
    assert.deepEqual(socket.attempts, [false]);
  });
});
