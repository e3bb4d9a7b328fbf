import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Server } from '../../src/cli/serve/server.js';
import { optionsOf } from '../../src/options/load.js';
import { Shutdown } from '../../src/process/shutdown.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { withDeadline } from '../support/deadline.js';
import { ENGINES } from '../support/http-engine.js';
import { eventually } from '../support/orders.js';
import { testOwner } from '../support/reverse-owner.js';

/** Longer than two looks at the files. */
const LOOKS_MS = 2500;

/** The name in the certificate that a new connection gets. */
function nameAt(port: number): Promise<string> {
  const shown = new Promise<string>((resolve, reject) => {
    const where = { host: '127.0.0.1', port, rejectUnauthorized: false };
    const socket = connect(where, () => {
      resolve(socket.getPeerCertificate().subject.CN as string);
      socket.destroy();
    });
    socket.once('error', reject);
  });
  return withDeadline(shown, 'a TLS connection');
}

describe('a certificate that changes after a server was opened and before it is started', () => {
  const cases = ENGINES.flatMap((http) => [0, 1].map((threads) => ({ http, threads })));
  for (const { http, threads } of cases) {
    it(`is shown, and so is the next one, --http ${http} --threads ${threads}`, async (t) => {
      const owner = testOwner(t);
      const authority = new Authority();
      owner.after(async () => authority.remove());
      const sign = (name: string) => authority.sign(name, 'IP:127.0.0.1');
      const [first, second, third] = [sign('first'), sign('second'), sign('third')];
      const [cert, key] = ['shown.pem', 'shown.key'].map((name) => join(authority.folder, name));
      const show = (made: Certificate) => {
        copyFileSync(made.cert, cert!);
        copyFileSync(made.key, key!);
      };
      show(first);
      const given = { host: '127.0.0.1', port: 0, adminPort: 0, http, threads };
      const files = { tlsCert: cert!, tlsKey: key!, data: join(authority.folder, 'data') };
      const events: string[] = [];
      const server = await Server.open({
        options: optionsOf({ ...given, ...files }),
        log: (event) => events.push(event),
        redact: (text) => text,
        recent: () => [],
        onFault: () => {},
      });
      const ignore = () => {};
      owner.after(async () => void (await new Shutdown(() => server.steps, ignore, ignore).run()));
      show(second);
      await sleep(LOOKS_MS);
      assert.equal(await server.start(), true);
      const { port } = server.at as { port: number };
      const told = () => events.filter((event) => event === 'tls-renewed').length;
      await eventually('the second is told', () => told() === 1);
      assert.equal(await nameAt(port), 'second');
      show(third);
      await eventually('the third is told', () => told() === 2);
      assert.equal(await nameAt(port), 'third');
      assert.ok(!events.includes('tls-renewal-failed'));
    });
  }
});
