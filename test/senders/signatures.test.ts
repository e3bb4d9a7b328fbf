import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseSecretsFile } from '../../src/senders/secrets-file.js';
import { schemeOf } from '../../src/senders/signatures/choose.js';
import { isSigned } from '../../src/senders/signatures/scheme.js';

interface Vector {
  readonly scheme: string;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly nowS: number;
}

function verdict({ scheme, secret, headers, body, nowS }: Vector): boolean {
  const { headerSets } = schemeOf(scheme);
  const all = Object.fromEntries(headerSets.flat().map((name) => [name, headers[name] ?? '']));
  const keys = parseSecretsFile(secret, (line) => schemeOf(scheme).keyOf(line));
  return isSigned(schemeOf(scheme), all, Buffer.from(body), keys, nowS);
}

/** Of the tests of the library `standardwebhooks`. */
const STANDARD: Vector = {
  scheme: 'standard-webhooks',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: '{"test": 2432232314}',
  nowS: 1614265330,
};
/** Made by `generateTestHeaderString` of Stripe's library. */
const STRIPE: Vector = {
  scheme: 'stripe',
  secret: 'whsec_test_secret',
  headers: {
    'stripe-signature':
      't=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a',
  },
  body: '{"id":"evt_test_webhook","object":"event"}',
  nowS: 1492774577,
};
/** RFC 4231, test case 2, in the encoding of Shopify. */
const SHOPIFY: Vector = {
  scheme: 'shopify',
  secret: 'Jefe',
  headers: { 'x-shopify-hmac-sha256': 'W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=' },
  body: 'what do ya want for nothing?',
  nowS: 0,
};
/** Of GitHub's documentation, "Testing the webhook payload validation". */
const GITHUB: Vector = {
  scheme: 'github',
  secret: "It's a Secret to Everybody",
  headers: {
    'x-hub-signature-256':
      'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  },
  body: 'Hello, World!',
  nowS: 0,
};
/** Of Slack's documentation, "Verifying requests from Slack". */
const SLACK: Vector = {
  scheme:
    'hmac:header=X-Slack-Signature,prefix=v0=,timestamp=X-Slack-Request-Timestamp,signed=v0:{timestamp}:{body}',
  secret: '8f742231b10e8888abcd99yyyzzz85a5',
  headers: {
    'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    'x-slack-request-timestamp': '1531420618',
  },
  body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  nowS: 1531420618,
};

for (const vector of [STANDARD, STRIPE, SHOPIFY, GITHUB, SLACK]) {
  const name = vector.scheme.split(',')[0]!;
  const [header] = Object.keys(vector.headers).filter((key) => /sign|hmac/.test(key));

  describe(`a signature, ${name}`, () => {
    it('of the documentation is right', () => assert.equal(verdict(vector), true));

    it('is wrong after any change of the body, the signature, or the secret', () => {
      const { body, headers, secret } = vector;
      assert.equal(verdict({ ...vector, body: `${body} ` }), false);
      assert.equal(verdict({ ...vector, body: body.slice(1) }), false);
      assert.equal(verdict({ ...vector, body: '' }), false);
      assert.equal(verdict({ ...vector, secret: secret.replace(/.$/, 'A') }), false);
      const value = headers[header!]!;
      for (let at = 0; at < value.length; at++) {
        const other = value[at] === '0' ? '1' : '0';
        const changed = value.slice(0, at) + other + value.slice(at + 1);
        const isSame = verdict({ ...vector, headers: { ...headers, [header!]: changed } });
        assert.equal(isSame, false, `${at} of ${value}`);
      }
      for (const wrong of ['', ' ', 'v1', '=', ',', 't=', 'v1,', 'sha256=', value.slice(0, -1)]) {
        assert.equal(
          verdict({ ...vector, headers: { ...headers, [header!]: wrong } }),
          false,
          wrong,
        );
      }
    });

    it('is right with any of several secrets', () => {
      const { secret } = vector;
      assert.equal(verdict({ ...vector, secret: `# old\nAAAA\n\n${secret}\r\nBBBB\n` }), true);
      assert.equal(verdict({ ...vector, secret: 'AAAA\nBBBB\n' }), false);
    });

    it('has a time within 300 s of now, if it has one', () => {
      if (vector.nowS === 0) return;
      for (const [offset, isRight] of [
        [-301, false],
        [-300, true],
        [0, true],
        [300, true],
        [301, false],
      ] as const) {
        assert.equal(verdict({ ...vector, nowS: vector.nowS + offset }), isRight, `${offset}`);
      }
    });
  });
}

describe('signatures', () => {
  it('of Standard Webhooks: one of several must be right; those of public keys do not count', () => {
    const right = STANDARD.headers['webhook-signature']!;
    const with_ = (value: string) =>
      verdict({ ...STANDARD, headers: { ...STANDARD.headers, 'webhook-signature': value } });
    assert.equal(with_(`v1,AAAA ${right}`), true);
    assert.equal(with_(`v1a,AAAA ${right} v1,AAAA`), true);
    assert.equal(with_(right.replace('v1,', 'v1a,')), false);
    assert.equal(with_(right.replace('v1,', 'v2,')), false);
    assert.equal(with_(right.replace(' ', ',')), true);
  });

  it('of Svix have the same form under other names', () => {
    const headers = Object.fromEntries(
      Object.entries(STANDARD.headers).map(([name, value]) => [
        name.replace('webhook-', 'svix-'),
        value,
      ]),
    );
    assert.equal(verdict({ ...STANDARD, headers }), true);
    assert.equal(verdict({ ...STANDARD, headers: { ...headers, 'svix-id': 'other' } }), false);
  });

  it('of Standard Webhooks sign the id and the time', () => {
    for (const [name, value] of [
      ['webhook-id', 'msg_other'],
      ['webhook-id', ''],
      ['webhook-timestamp', '1614265331'],
      ['webhook-timestamp', ''],
      ['webhook-timestamp', '1614265330.0'],
      ['webhook-timestamp', 'now'],
    ] as const) {
      const headers = { ...STANDARD.headers, [name]: value };
      assert.equal(verdict({ ...STANDARD, headers }), false, `${name} ${value}`);
    }
  });

  it('of Stripe: one of several v1 must be right, v0 does not count, and there is one time', () => {
    const value = STRIPE.headers['stripe-signature']!;
    const with_ = (header: string) =>
      verdict({ ...STRIPE, headers: { 'stripe-signature': header } });
    assert.equal(with_(`${value},v1=${'0'.repeat(64)},v0=x`), true);
    assert.equal(with_(value.replace(',', `,v1=${'0'.repeat(64)},`)), true);
    assert.equal(with_(value.replace(',', ', ')), true);
    assert.equal(with_(value.replace('v1=', 'v0=')), false);
    assert.equal(with_(`${value},t=1492774577`), false);
    assert.equal(with_(`t=1492774578,${value}`), false);
    assert.equal(with_(value.replace('t=1492774577,', '')), false);
  });

  it('of your own scheme: algorithms, encodings, other headers and times', () => {
    const secret = 'secret';
    const body = '{"a":1}';
    for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512']) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        const signature = createHmac(algorithm, secret).update(body).digest(encoding);
        const scheme = `hmac:header=X-Sig,algorithm=${algorithm},encoding=${encoding}`;
        assert.equal(
          verdict({ scheme, secret, headers: { 'x-sig': signature }, body, nowS: 0 }),
          true,
        );
      }
    }
    const scheme =
      'hmac:header=X-Sig,timestamp=X-Time,signed=https://shop.example/{x-topic}{timestamp}{body}.,tolerance=60';
    for (const time of ['1700000000', '1700000000000', '2023-11-14T22:13:20Z']) {
      const signed = `https://shop.example/orders${time}${body}.`;
      const signature = createHmac('sha256', secret).update(signed).digest('hex');
      const headers = { 'x-sig': signature, 'x-time': time, 'x-topic': 'orders' };
      const vector = { scheme, secret, headers, body };
      assert.equal(verdict({ ...vector, nowS: 1_700_000_060 }), true, time);
      assert.equal(verdict({ ...vector, nowS: 1_700_000_061 }), false, time);
      const other = { ...headers, 'x-topic': 'refunds' };
      assert.equal(verdict({ ...vector, headers: other, nowS: 1_700_000_000 }), false);
    }
  });

  it('of a scheme that cannot be are refused with the reason', () => {
    for (const [value, why] of [
      ['hmac:', /consists of/],
      ['hmac:prefix=a', /header= is missing/],
      ['hmac:header=', /header has no value/],
      ['hmac:header=a b', /name of a header/],
      ['hmac:header=a,header=b', /given twice/],
      ['hmac:header=a,algorithm=md5', /algorithm must be/],
      ['hmac:header=a,encoding=utf8', /encoding must be/],
      ['hmac:header=a,colour=red', /consists of/],
      ['hmac:header=a,tolerance=5', /tolerance needs timestamp/],
      ['hmac:header=a,timestamp=b,tolerance=0', /from 1 to/],
      ['hmac:header=a,signed=x', /\{body\} once/],
      ['hmac:header=a,signed={body}{body}', /\{body\} once/],
      ['hmac:header=a,signed={timestamp}{body}', /needs timestamp=/],
      ['hmac:header=a,timestamp=b,signed={body}', /proves nothing/],
      ['hmac:header=a,signed={x{body}', /brace/],
      ['paypal', /must be standard-webhooks/],
      ['toString', /must be standard-webhooks/],
    ] as const) {
      assert.throws(() => schemeOf(value), why, value);
    }
  });
});

describe('a file of secrets', () => {
  it('is refused without quoting it', () => {
    const { keyOf } = schemeOf('standard-webhooks');
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /no secret/],
      ['# only a comment\n', /no secret/],
      ['whsec_not base64!\n', /^line 1 is not a secret of this scheme$/],
      [`${'MfKQ\n'.repeat(17)}`, /more than 16/],
      [`\n${'A'.repeat(1100)}\n`, /line 2 has more than/],
    ];
    for (const [text, why] of cases) {
      assert.throws(
        () => parseSecretsFile(text, (line) => keyOf(line)),
        ({ message }: Error) => why.test(message) && !message.includes('MfKQ'),
      );
    }
  });
});
