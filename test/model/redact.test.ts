import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { maskCredentials, maskUrls, redactor } from '../../src/model/redact.js';

/** Every printable character of ASCII, the space included. */
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)).join('');
const encode = (text: string) =>
  text.replace(/[^\w]/g, (c) => `%${Buffer.from(c).toString('hex')}`);

describe('a redactor of known secrets', () => {
  const forms = (secret: string) => [
    secret,
    encode(secret),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    inspect(secret).slice(1, -1),
    `nats://bay:${secret}@host:4222`,
    `cannot connect to nats://bay:${secret}@host: refused`,
    JSON.stringify({ url: `postgres://bay:${secret}@host/db` }),
  ];

  it('removes a password of every printable character, in every spelling, however it was given', () => {
    for (const given of [PRINTABLE, encode(PRINTABLE)]) {
      const redact = redactor([`nats://bay:${given}@host:4222`]);
      for (const form of [...forms(PRINTABLE), given]) {
        const left = redact(`before ${form} after`);
        assert.ok(!left.includes(PRINTABLE.slice(1, 9)), left);
        assert.ok(!left.includes('ABCD') && !left.includes('%41%42'), left);
        assert.match(left, /^before .*\*\*\*.* after$/s);
      }
    }
  });

  it('removes any password of 6 characters or more', () => {
    const password = fc.string({
      minLength: 6,
      maxLength: 30,
      unit: fc.constantFrom(...PRINTABLE),
    });
    fc.assert(
      fc.property(password, (secret) => {
        fc.pre(/[A-Za-z0-9]/.test(secret) && !/^[A-Za-z]+$|^[0-9]+$/.test(secret));
        const redact = redactor([`postgres://bay:${secret}@host:5432/db`]);
        for (const form of forms(secret)) assert.ok(!redact(form).includes(secret), form);
      }),
    );
  });

  it('removes the parts that a wrongly cut URL shows', () => {
    const redact = redactor(['nats://bay:s3cret/hunt3r@h']);
    assert.equal(redact('getaddrinfo ENOTFOUND hunt3r'), 'getaddrinfo ENOTFOUND ***');
    assert.equal(redact('port s3cret is invalid'), 'port *** is invalid');
    assert.equal(redactor(['nats://bay:s3c/r3t@h'])('no host r3t@h'), 'no host ***@h');
  });

  it('removes tokens, and passwords in parameters', () => {
    assert.equal(redactor(['nats://t0ken@h'])('token t0ken'), 'token ***');
    const url = 'postgres:///db?user=bay&password=s3cr%2Fet&sslmode=require';
    assert.equal(redactor([url])('s3cr/et, s3cr%2Fet'), '***, ***');
    assert.equal(redactor([], ['s3cr3t'])('s3cr3t'), '***');
  });

  it('removes a short password only where a credential stands', () => {
    for (const password of ['a', 'e', '1', '.', ' ', '/', 'ab', '***']) {
      const redact = redactor([`nats://bay:${password}@host:4222`]);
      const line = 'a line of 1 server at host:4222. Even here.';
      assert.equal(redact(line), line, password);
      assert.equal(redact(`nats://bay:${password}@host:4222`), 'nats://***@host:4222');
    }
  });

  it('leaves the words of a line whole', () => {
    const redact = redactor([
      'nats://bay:serve@host',
      'postgres://forebay:forebay@postgres/forebay',
    ]);
    const line = 'forebay: the server forebay_orders_total at postgres';
    assert.equal(redact(line), line);
    assert.equal(redact('serve'), '***');
  });

  it('keeps hosts and users of a list of URLs', () => {
    for (const list of [
      'nats://bay:s3cret@hosta:4222,nats://bay:s3cret@hostb:4222',
      'bay:s3cret@hosta:4222,bay:s3cret@hostb:4222',
    ]) {
      const line = 'NATS at hosta:4222, hostb:4222 refuses the user bay';
      assert.equal(redactor([list])(line), line);
    }
  });
});

describe('credentials that nobody knew', () => {
  it('are removed up to the last @ of the URL', () => {
    for (const [text, left] of [
      ['at nats://bay:s3c/r3t@h:4222 now', 'at nats://***@h:4222 now'],
      ['"amqp://u:p@ss@h/x"', '"amqp://***@h/x"'],
      ['nats://u:p@a:1,nats://u:p@b:2', 'nats://***@a:1,nats://***@b:2'],
      ['password=s3cret user=x', 'password=*** user=x'],
      ['http://h/?token=s3cret&x=1', 'http://h/?token=***&x=1'],
    ] as const) {
      assert.equal(maskCredentials(text), left);
    }
  });

  it('are not seen where there are none', () => {
    for (const text of [
      'at file:///app/node_modules/@nats-io/x.js:1:2',
      'https://registry.example/@scope/name',
      'nats://host:4222, nats://host:4223',
      'write to ops@shop.example',
      'such as nats://user:password@host:4222',
    ]) {
      assert.equal(maskCredentials(text), text);
    }
  });
});

describe('API keys and signing secrets', () => {
  it('are removed where the name of their file belongs', () => {
    for (const [text, shown] of [
      ['--api-keys fbk_1mJc2cPq-_x0: no such file', '--api-keys fbk_***: no such file'],
      ["open 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw='", "open 'whsec_***'"],
      ['shpss_0123456789abcdef', 'shpss_***'],
      ['name_fbk_1 and fbk_ and whsec_…', 'name_fbk_1 and fbk_ and whsec_…'],
    ] as const) {
      assert.equal(maskCredentials(text), shown);
    }
  });
});

describe('the value of an option in an error', () => {
  it('shows what is certain to be no secret', () => {
    for (const [value, shown] of [
      ['nats://a:4222,nats://b:4222', 'nats://a:4222,nats://b:4222'],
      ['nats://bay:s3c/r3t@h', 'nats://***@h'],
      ['nats://bay:a,b@h', 'nats://***@h'],
      ['bay:s3c r3t@h:4222', '***@h:4222'],
      ['nats://bay:s3cret', 'nats://***'],
      ['bay:s3cret', '***'],
      ['nats://u:p@a,nats://bay:s3cret', 'nats://***'],
      ['postgres://localhost:5432/postgres', 'postgres://localhost:5432/postgres'],
      ['http://[::1]:8222', 'http://[::1]:8222'],
    ] as const) {
      assert.equal(maskUrls(value), shown);
    }
  });
});
