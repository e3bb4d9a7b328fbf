import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Authority, type Certificate } from '../support/certificates.js';
import { startForebay } from '../support/forebay.js';
import { ENGINES } from '../support/http-engine.js';
import { eventually, metric } from '../support/orders.js';

const EXPIRY = 'forebay_tls_certificate_expiry_timestamp_seconds';

/** uWebSockets.js cannot use a key of this kind, and Node can. */
function ed448(folder: string): Certificate {
  const [cert, key] = [join(folder, 'ed448.pem'), join(folder, 'ed448.key')];
  const made = ['-x509', '-newkey', 'ed448', '-nodes', '-subj', '/CN=ed448', '-days', '90'];
  execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { cert, key };
}

function expiryS(cert: string): number {
  return Date.parse(new X509Certificate(readFileSync(cert)).validTo) / 1000;
}

it('a renewed certificate that uWebSockets.js refuses is logged once, and its expiry is not shown', {
  skip: !ENGINES.includes('uws') && 'uWebSockets.js has no binary here',
}, async (t) => {
  const made = new Authority();
  t.after(() => made.remove());
  const names = 'IP:127.0.0.1';
  const [first, third] = [made.sign('first', names, 30), made.sign('third', names, 60)];
  const files = { cert: join(made.folder, 'tls.crt'), key: join(made.folder, 'tls.key') };
  const put = ({ cert, key }: Certificate) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(first);
  const flags = ['--tls-cert', files.cert, '--tls-key', files.key, '--threads', '2'];
  const forebay = await startForebay(['--http', 'uws', ...flags], { owner: t });
  const firstS = expiryS(files.cert);
  put(ed448(made.folder));
  await eventually('it is logged', () => forebay.stderr.includes('"tls-renewal-failed"'));
  assert.equal(await metric(forebay, EXPIRY), firstS);
  put(third);
  await eventually('it is renewed', () => forebay.stderr.includes('"tls-renewed"'));
  assert.equal(await metric(forebay, EXPIRY), expiryS(files.cert));
  assert.equal(forebay.stderr.split('"tls-renewal-failed"').length, 2);
  assert.equal(forebay.stderr.split('"tls-renewed"').length, 2);
  assert.match(forebay.stderr, /"tls-renewal-failed".*uWebSockets\.js cannot use --tls-cert/);
  assert.equal(await forebay.stop(), 0);
});
