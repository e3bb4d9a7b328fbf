import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Authority, type Certificate } from '../support/certificates.js';
import { withDeadline } from '../support/deadline.js';
import { type ForebayProcess, runForebay, startForebay } from '../support/forebay.js';
import { ENGINES } from '../support/http-engine.js';
import { eventually, metric, orderBody } from '../support/orders.js';
import { post, RawConnection } from '../support/raw-http.js';

const NAMES = 'IP:127.0.0.1';

function authority(t: TestContext): Authority {
  const made = new Authority();
  t.after(() => made.remove());
  return made;
}

const ORDER = post(orderBody('a'), { 'Content-Type': 'application/json' });

function filesOf({ cert, key }: Certificate): string[] {
  return ['--tls-cert', cert, '--tls-key', key];
}

/** A connection that stays open, over which orders are sent one by one. */
class TlsClient {
  readonly #socket: TLSSocket;
  #answers = 0;
  #isClosed = false;

  /** @throws Error the handshake fails, also where the client learns it only when it reads */
  static async open({ url }: ForebayProcess, options: ConnectionOptions = {}): Promise<TlsClient> {
    const port = Number(new URL(url).port);
    const opened = new Promise<TlsClient>((resolve, reject) => {
      const where = { host: '127.0.0.1', port, rejectUnauthorized: false };
      const socket = connect({ ...where, ...options }, () => resolve(new TlsClient(socket)));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
    return withDeadline(opened, `a TLS connection to ${url}`);
  }

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      if (bytes.toString().startsWith('HTTP/1.1 200')) this.#answers++;
    });
    socket.once('close', () => {
      this.#isClosed = true;
    });
  }

  get name(): string {
    return this.#socket.getPeerCertificate().subject.CN as string;
  }

  /** Whether the order is answered 200. */
  async posts(): Promise<boolean> {
    const before = this.#answers;
    this.#socket.write(ORDER.head + ORDER.body.toString());
    await eventually('an answer', () => this.#answers > before || this.#isClosed);
    return this.#answers > before;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Sends one order on a connection of its own. @returns the name of the server's certificate; empty without a 200 */
async function postOnce(forebay: ForebayProcess, options: ConnectionOptions = {}): Promise<string> {
  let client: TlsClient;
  try {
    client = await TlsClient.open(forebay, options);
  } catch {
    return '';
  }
  try {
    return (await client.posts()) ? client.name : '';
  } finally {
    client.close();
  }
}

for (const http of ENGINES) {
  // A renewal must reach every thread.
  const threads = http === 'uws' ? '2' : '1';
  const engine = ['--http', http, '--threads', threads];

  describe(`TLS, --http ${http}`, () => {
    it('takes orders, says so in the ready line, and shows when the certificate expires', async (t) => {
      const files = authority(t).sign('orders', NAMES, 30);
      const forebay = await startForebay([...engine, ...filesOf(files)], { owner: t });
      assert.match(forebay.url, /^https:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(await postOnce(forebay), 'orders');
      assert.equal(await postOnce(forebay, { maxVersion: 'TLSv1.2' }), 'orders');
      const { validTo } = new X509Certificate(readFileSync(files.cert));
      const name = 'forebay_tls_certificate_expiry_timestamp_seconds';
      assert.equal(await metric(forebay, name), Date.parse(validTo) / 1000);
      assert.equal(await forebay.stop(), 0);
    });

    it('--tls-min 1.3 refuses clients that have only 1.2', async (t) => {
      const files = authority(t).sign('orders', NAMES, 30);
      const flags = [...engine, ...filesOf(files), '--tls-min', '1.3'];
      const forebay = await startForebay(flags, { owner: t });
      assert.equal(await postOnce(forebay, { maxVersion: 'TLSv1.2' }), '');
      assert.equal(await postOnce(forebay), 'orders');
      assert.equal(await forebay.stop(), 0);
    });

    it('a client without TLS gets no answer, and others are not affected', async (t) => {
      const files = authority(t).sign('orders', NAMES, 30);
      const forebay = await startForebay([...engine, ...filesOf(files)], { owner: t });
      const plain = await RawConnection.open(forebay.url.replace('https', 'http'));
      await plain.write(ORDER.head + ORDER.body.toString());
      await plain.closed;
      assert.equal(await postOnce(forebay), 'orders');
      assert.equal(await forebay.stop(), 0);
    });

    it('a client that never speaks is closed, and others are not affected', async (t) => {
      const files = authority(t).sign('orders', NAMES);
      const forebay = await startForebay([...engine, ...filesOf(files)], { owner: t });
      const silent = await RawConnection.open(forebay.url.replace('https', 'http'));
      assert.equal(await postOnce(forebay), 'orders');
      await silent.closed;
      assert.equal(await postOnce(forebay), 'orders');
      assert.equal(await forebay.stop(), 0);
    });

    it('an order that is followed by a second request in one record is kept only with a 200', async (t) => {
      const files = authority(t).sign('orders', NAMES, 30);
      const forebay = await startForebay([...engine, ...filesOf(files)], { owner: t });
      const { port } = new URL(forebay.url);
      const text = ORDER.head + ORDER.body.toString();
      const answers = await new Promise<number>((resolve) => {
        let received = '';
        const target = { host: '127.0.0.1', port: Number(port), rejectUnauthorized: false };
        const socket = connect(target, () => socket.write(text + text));
        const finish = () => resolve(received.split('"created"').length - 1);
        socket.on('error', () => {});
        socket.on('data', (bytes: Buffer) => {
          received += bytes.toString();
          if (received.split('"created"').length === 3) socket.end();
        });
        socket.once('close', finish);
      });
      assert.equal(answers, http === 'node' ? 2 : 0);
      assert.equal(await metric(forebay, 'forebay_orders_accepted_total'), answers);
      assert.equal(await forebay.stop(), 0);
    });

    it('connections beyond --connections-max are closed', async (t) => {
      const files = authority(t).sign('orders', NAMES, 30);
      const flags = [...engine, ...filesOf(files), '--connections-max', '3'];
      const forebay = await startForebay(flags, { owner: t });
      const clients = [];
      for (let i = 0; i < 3; i++) clients.push(await TlsClient.open(forebay));
      assert.equal(await postOnce(forebay), '');
      for (const client of clients) assert.ok(await client.posts());
      clients.pop()!.close();
      await eventually('there is room again', async () => (await postOnce(forebay)) === 'orders');
      for (const client of clients) client.close();
      assert.equal(await forebay.stop(), 0);
    });

    for (const [how, isMounted] of [
      ['written in place', false],
      ['in a folder whose link moves, as in Kubernetes', true],
    ] as const) {
      it(`a renewed certificate, ${how}, is taken up, and no connection is dropped`, async (t) => {
        const made = authority(t);
        const [first, second] = [made.sign('first', NAMES, 30), made.sign('second', NAMES, 30)];
        const place = new Mount(made.folder, isMounted);
        place.put(first);
        const forebay = await startForebay([...engine, ...filesOf(place.files)], { owner: t });
        const kept = await TlsClient.open(forebay);
        assert.ok(await kept.posts());
        const names = new Set<string>();
        place.put(second);
        await eventually('new connections get the second certificate', async () => {
          const some = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(() => postOnce(forebay)));
          for (const name of some) names.add(name);
          return some.every((name) => name === 'second');
        });
        assert.ok(!names.has(''), 'a connection was dropped');
        assert.equal(kept.name, 'first');
        assert.ok(await kept.posts(), 'the connection from before was dropped');
        kept.close();
        assert.match(forebay.stderr, /"event":"tls-renewed".*CN=second/);
        assert.equal(await forebay.stop(), 0);
      });
    }

    it('a renewal that cannot be used is logged, and the certificate before stays', async (t) => {
      const made = authority(t);
      const [first, second] = [made.sign('first', NAMES, 30), made.sign('second', NAMES, 30)];
      const place = new Mount(made.folder, false);
      place.put(first);
      const forebay = await startForebay([...engine, ...filesOf(place.files)], { owner: t });
      place.put({ cert: second.cert, key: first.key });
      const why = /tls-renewal-failed.*is not the key of --tls-cert/;
      await eventually('it is logged', () => why.test(forebay.stderr));
      assert.equal(await postOnce(forebay), 'first');
      place.put(second);
      await eventually('it is renewed', async () => (await postOnce(forebay)) === 'second');
      assert.equal(await forebay.stop(), 0);
    });
  });
}

/** Where a certificate is renewed. */
class Mount {
  readonly #folder: string;
  readonly #isLinked: boolean;
  #versions = 0;

  constructor(folder: string, isLinked: boolean) {
    this.#folder = join(folder, 'mount');
    mkdirSync(this.#folder);
    this.#isLinked = isLinked;
  }

  get files(): Certificate {
    const folder = this.#isLinked ? join(this.#folder, '..data') : this.#folder;
    return { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  }

  put({ cert, key }: Certificate): void {
    let folder = this.#folder;
    if (this.#isLinked) {
      folder = join(this.#folder, `version-${this.#versions++}`);
      mkdirSync(folder);
    }
    copyFileSync(cert, join(folder, 'tls.crt'));
    copyFileSync(key, join(folder, 'tls.key'));
    if (!this.#isLinked) return;
    symlinkSync(folder, join(this.#folder, '..data_tmp'));
    renameSync(join(this.#folder, '..data_tmp'), join(this.#folder, '..data'));
  }
}

describe('TLS on a unix socket', () => {
  for (const http of ENGINES) {
    it(`takes orders, --http ${http}`, async (t) => {
      const made = authority(t);
      const path = join(made.folder, 'orders.sock');
      const flags = ['--http', http, '--listen', `unix:${path}`];
      const files = filesOf(made.sign('orders', NAMES));
      const forebay = await startForebay([...flags, ...files], { owner: t });
      assert.equal(forebay.url, `unix:${path}`);
      assert.equal(await postOnce(forebay, { path }), 'orders');
      assert.equal(await forebay.stop(), 0);
    });
  }
});

describe('client certificates, --tls-ca', () => {
  it('only a client whose certificate is signed by it may post', async (t) => {
    const clients = authority(t);
    const server = authority(t).sign('server', NAMES);
    const flags = ['--tls-cert', server.cert, '--tls-key', server.key, '--tls-ca', clients.ca];
    const forebay = await startForebay(flags, { owner: t });
    assert.match(forebay.stderr, /"event":"http-engine".*node:http.*client certificates/);
    const withFiles = ({ cert, key }: Certificate) =>
      postOnce(forebay, { cert: readFileSync(cert), key: readFileSync(key) });
    const client = clients.sign('client', NAMES);
    assert.equal(await withFiles(client), 'server');
    assert.equal(await withFiles(server), '');
    assert.equal(await postOnce(forebay), '');
    assert.equal(await withFiles(client), 'server');
    assert.equal(await forebay.stop(), 0);
  });

  it('is refused with --http uws, which serves clients that have no certificate', async (t) => {
    const files = authority(t).sign('server', NAMES, 30);
    const flags = [...filesOf(files), '--tls-ca', files.cert, '--http', 'uws'];
    const { code, stderr } = await runForebay(['serve', ...flags]);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^forebay: --http uws: uWebSockets\.js cannot require client certificates.*\n$/,
    );
  });
});

describe('files of TLS that cannot be used are refused with one line, and check agrees', () => {
  async function refused(t: TestContext, flags: readonly string[], code: number, why: RegExp) {
    const data = authority(t).folder;
    const ports = ['--port', '0', '--admin-port', '0', '--data', data];
    const serve = await runForebay(['serve', ...ports, ...flags]);
    const lines = serve.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    assert.equal(lines.length, 1, serve.stderr);
    assert.match(lines[0]!, why);
    assert.equal(serve.code, code);
    const check = await runForebay(['check', ...ports, ...flags]);
    assert.match(check.stdout + check.stderr, why);
    assert.equal(check.code, code);
  }

  it('a file that is missing', async (t) => {
    const { cert, key } = authority(t).sign('a', NAMES, 30);
    await refused(t, filesOf({ cert: '/nowhere.crt', key }), 1, /--tls-cert \/nowhere.crt: ENOENT/);
    await refused(t, filesOf({ cert, key: '/nowhere.key' }), 1, /--tls-key \/nowhere.key: ENOENT/);
    const ca = ['--tls-ca', '/nowhere.ca'];
    await refused(t, [...filesOf({ cert, key }), ...ca], 1, /--tls-ca \/nowhere.ca: ENOENT/);
  });

  it('a key of another certificate, an encrypted key, no key, and no certificate', async (t) => {
    const made = authority(t);
    const [a, b] = [made.sign('a', NAMES, 30), made.sign('b', NAMES, 30)];
    const garbage = join(made.folder, 'garbage');
    writeFileSync(garbage, 'garbage');
    const encrypted = join(made.folder, 'encrypted');
    const secret = ['-aes256', '-passout', 'pass:secret'];
    execFileSync('openssl', ['ec', '-in', a.key, ...secret, '-out', encrypted], { stdio: 'pipe' });
    for (const [cert, key, why] of [
      [a.cert, b.key, /--tls-key \S+b\.key: it is not the key of --tls-cert \S+a\.pem; fix: /],
      [a.cert, encrypted, /--tls-key \S+: it is encrypted, and passwords are not supported; fix: /],
      [a.cert, garbage, /--tls-key \S+garbage: it holds no private key in PEM; fix: /],
      [garbage, a.key, /--tls-cert \S+garbage: it does not begin with a certificate in PEM; fix: /],
    ] as const) {
      // The report of check has the fix on a line of its own.
      const problem = new RegExp(why.source.replace('; fix: ', ''));
      await refused(t, filesOf({ cert, key }), 2, problem);
    }
    await refused(
      t,
      [...filesOf(a), '--tls-ca', garbage],
      2,
      /--tls-ca \S+garbage: it does not begin/,
    );
  });

  it('a certificate without its key, and the other way round', async (t) => {
    const { cert, key } = authority(t).sign('a', NAMES, 30);
    await refused(t, ['--tls-cert', cert], 2, /--tls-cert .*: needs --tls-key/);
    await refused(t, ['--tls-key', key], 2, /--tls-key .*: needs --tls-cert/);
    await refused(t, ['--tls-ca', cert], 2, /--tls-ca .*: needs --tls-cert/);
    await refused(t, ['--tls-min', '1.3'], 2, /--tls-min .*: needs --tls-cert/);
  });

  it('an expired certificate is served with an error in the log, and check warns', async (t) => {
    const files = authority(t).sign('old', NAMES, -1);
    const forebay = await startForebay(filesOf(files), { owner: t });
    assert.match(forebay.stderr, /"event":"tls-certificate-invalid".*it expired at 20/);
    assert.equal(await postOnce(forebay), 'old');
    assert.equal(await forebay.stop(), 0);
    const { stdout } = await runForebay(['check', '--port', '0', ...filesOf(files)]);
    assert.match(stdout, /^warn +TLS .*it expired at 20/m);
  });

  it('a certificate that expires within two weeks makes check warn', async (t) => {
    const files = authority(t).sign('soon', NAMES, 5);
    const { stdout } = await runForebay(['check', '--port', '0', ...filesOf(files)]);
    assert.match(stdout, /^warn +TLS .*CN=soon.*, in 4 days/m);
    const fine = authority(t).sign('fine', NAMES, 30);
    const { stdout: other } = await runForebay(['check', '--port', '0', ...filesOf(fine)]);
    assert.match(other, /^ok +TLS .*CN=fine.*TLS 1.2 or later/m);
  });
});
