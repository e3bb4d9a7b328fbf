import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nkeys } from '@nats-io/transport-node';
import { NO_FILES } from '../../src/journal/nats/access-files.js';
import { JetStreamConnection } from '../../src/journal/nats/connection.js';
import { OperatorFault } from '../../src/model/fault.js';
import type { NatsFiles } from '../../src/model/options.js';
import { runCheck, temporaryFolder } from '../cli/check/run-check.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { runForebay, startForebay } from '../support/forebay.js';
import { NatsServer } from '../support/nats.js';
import { eventually, metric, OrderClient } from '../support/orders.js';

describe('TLS towards NATS', () => {
  let authority: Authority;
  let good: Certificate;
  let client: Certificate;
  before(() => {
    authority = new Authority();
    good = authority.sign('good', 'DNS:localhost');
    client = authority.sign('client', 'DNS:client');
  });
  after(() => authority.remove());

  function settings({ cert, key }: Certificate, more = ''): { settings: string } {
    const files = `cert_file: "${cert}", key_file: "${key}", ca_file: "${authority.ca}"`;
    return { settings: `tls { ${files}${more === '' ? '' : `, ${more}`} }` };
  }

  /** The reason why a connection is not up after the time of a dial; empty when it is. */
  async function reach(url: string, files: Partial<NatsFiles>): Promise<string> {
    const connection = new JetStreamConnection({
      servers: [url],
      files: { ...NO_FILES, ...files },
      clientName: 'test',
      prepare: async () => {},
      log: () => {},
    });
    try {
      await eventually('it is known', async () => {
        return connection.up || !connection.reason.endsWith('has not answered yet');
      });
      if (connection.up) assert.ok(connection.nc.getServer() !== '');
      return connection.reason;
    } finally {
      await connection.close();
    }
  }

  async function serve(
    more: { settings: string } | undefined,
    t: { after(f: () => unknown): void },
  ) {
    const server = await NatsServer.prepare(more);
    t.after(() => server.stop());
    await server.start({ answers: 'nothing' });
    return {
      server,
      url: (scheme: string, host = 'localhost') =>
        server.url.replace('nats://127.0.0.1', `${scheme}://${host}`),
    };
  }

  for (const [what, more] of [
    ['after the greeting', ''],
    ['first', 'handshake_first: true'],
    ['first or after the greeting', 'handshake_first: auto'],
  ] as const) {
    test(`${what}: connects with the CA, to a name and to an address, and with any scheme`, async (t) => {
      const named = authority.sign('named', 'DNS:localhost,IP:127.0.0.1');
      const { url } = await serve(settings(named, more), t);
      const natsTlsCa = authority.ca;
      for (const scheme of ['nats', 'tls']) {
        for (const host of ['localhost', '127.0.0.1']) {
          assert.equal(await reach(url(scheme, host), { natsTlsCa }), '');
        }
      }
    });

    test(`${what}: a certificate for the address alone`, async (t) => {
      const address = authority.sign('address', 'IP:127.0.0.1');
      const { url } = await serve(settings(address, more), t);
      const natsTlsCa = authority.ca;
      assert.equal(await reach(url('tls', '127.0.0.1'), { natsTlsCa }), '');
      assert.match(
        await reach(url('tls', 'localhost'), { natsTlsCa }),
        /is for another host; write a host in --nats that it names/,
      );
    });

    test(`${what}: an unknown CA, an expired certificate and one of another host are refused`, async (t) => {
      const natsTlsCa = authority.ca;
      const { url } = await serve(settings(good, more), t);
      assert.match(await reach(url('nats'), {}), /not signed by a known CA; .*--nats-tls-ca$/);
      const expired = authority.sign('expired', 'DNS:localhost', -1);
      const old = await serve(settings(expired, more), t);
      assert.match(await reach(old.url('nats'), { natsTlsCa }), /has expired; renew it$/);
      const other = authority.sign('other', 'DNS:other.example,IP:127.0.0.9');
      const wrong = await serve(settings(other, more), t);
      for (const host of ['localhost', '127.0.0.1']) {
        assert.match(await reach(wrong.url('tls', host), { natsTlsCa }), /is for another host/);
      }
    });

    test(`${what}: a client certificate, if the server requires one`, async (t) => {
      const strict = `verify: true${more === '' ? '' : `, ${more}`}`;
      const { url } = await serve(settings(good, strict), t);
      const natsTlsCa = authority.ca;
      assert.match(await reach(url('nats'), { natsTlsCa }), /requires a client certificate/);
      const [natsTlsCert, natsTlsKey] = [client.cert, client.key];
      assert.equal(await reach(url('nats'), { natsTlsCa, natsTlsCert, natsTlsKey }), '');
    });
  }

  test('tls:// or a CA demands TLS: a server without it is refused', async (t) => {
    const { url } = await serve(undefined, t);
    assert.equal(await reach(url('nats'), {}), '');
    assert.match(await reach(url('tls'), {}), /offers no TLS/);
    assert.match(await reach(url('nats'), { natsTlsCa: authority.ca }), /offers no TLS/);
  });

  test('an nkey', async (t) => {
    const key = nkeys.createUser();
    const users = { settings: `authorization { users: [ { nkey: ${key.getPublicKey()} } ] }` };
    const { url } = await serve(users, t);
    const natsNkey = join(temporaryFolder(t as never), 'seed');
    writeFileSync(natsNkey, `${Buffer.from(key.getSeed())}\n`);
    assert.match(await reach(url('nats'), {}), /Authorization Violation/);
    assert.equal(await reach(url('nats'), { natsNkey }), '');
  });

  test('files that cannot be used: one line with option and file, also in the commands', async (t) => {
    const folder = temporaryFolder(t as never);
    const text = join(folder, 'text');
    writeFileSync(text, 'text\n');
    const missing = join(folder, 'missing');
    const faults: readonly (readonly [Partial<NatsFiles>, RegExp])[] = [
      [{ natsTlsCa: missing }, /^--nats-tls-ca .*missing: there is no such file; name a file/],
      [{ natsTlsCa: folder }, /^--nats-tls-ca .*: it cannot be read: EISDIR; name a file/],
      [{ natsTlsCa: text }, /^--nats-tls-ca .*text: expected certificates in PEM/],
      [{ natsTlsCert: client.cert }, /--nats-tls-cert and --nats-tls-key together$/],
      [{ natsTlsKey: client.key }, /--nats-tls-cert and --nats-tls-key together$/],
      [{ natsTlsCert: client.cert, natsTlsKey: good.key }, /^--nats-tls-cert .*with the key of/],
      [{ natsCreds: text }, /^--nats-creds .*text: expected a credentials file of NATS$/],
      [{ natsNkey: text }, /^--nats-nkey .*text: expected the seed of an nkey$/],
      [{ natsNkey: text, natsCreds: text }, /exclude each other$/],
    ];
    for (const [files, expected] of faults) {
      await assert.rejects(reach('nats://localhost:1', files), (error) => {
        assert.ok(error instanceof OperatorFault, String(error));
        assert.equal(error.exitCode, 2);
        assert.match(error.message, expected);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    }
    const flags = ['--nats', 'localhost', '--nats-creds', text, '--data', join(folder, 'data')];
    const checked = await runCheck(...flags);
    assert.equal(checked.code, 2);
    assert.match(checked.about('nats access').text, /^--nats-creds .* credentials file/);
    const free = ['--port', '0', '--admin-port', '0'];
    const served = await runForebay(['serve', ...flags, ...free]);
    assert.equal(served.code, 2);
    assert.match(served.stderr, /forebay: --nats-creds .* credentials file of NATS\n$/);
  });

  test('orders flow through a server that begins with TLS and requires a client certificate', async (t) => {
    const { url } = await serve(settings(good, 'verify: true, handshake_first: true'), t);
    const access = ['--nats-tls-ca', authority.ca, '--nats-tls-cert', client.cert];
    const flags = ['--nats', url('tls'), ...access, '--nats-tls-key', client.key];
    const forebay = await startForebay(flags, { owner: t });
    const orders = new OrderClient(forebay.url);
    t.after(() => orders.close());
    assert.equal((await orders.post('over TLS')).status, 200);
    await eventually('it is done', async () => {
      return (await metric(forebay, 'work_done_total{status="done"}')) === 1;
    });
    const { code } = await runCheck(...flags, '--data', temporaryFolder(t as never));
    assert.equal(code, 0);
    assert.equal((await runForebay(['dlq', 'list', ...flags])).code, 0);
    assert.equal(await forebay.stop(), 0);
  });
});
