import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../monitoring/rule-files.js';
import { startForebay } from '../support/forebay.js';
import { otherUserLack } from '../support/other-user.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const LIMITER = join(ROOT, 'test', 'support', 'without-unix-sockets.py');
const PORTS = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
const IS_ROOT = process.getuid?.() === 0;
/** Some user who is not root. */
const USER = 1000;

interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** Runs forebay as `user`. It must end by itself. */
function run(args: readonly string[], user: number | null, prefix: readonly string[] = []): Said {
  const [program, ...rest] = [...prefix, process.execPath, MAIN, ...args];
  const { status, stdout, stderr } = spawnSync(program!, rest, {
    encoding: 'utf8',
    timeout: 120_000,
    ...(user === null ? {} : { uid: user, gid: user }),
  });
  return { code: status, text: `${stdout}${stderr}` };
}

/** serve ends with one line, and check says the same. */
function bothRefuse(
  data: string,
  wanted: RegExp,
  {
    user = null,
    code = 1,
    prefix = [],
  }: { user?: number | null; code?: number; prefix?: string[] } = {},
): void {
  const flags = [...PORTS, '--data', data];
  const served = run(['serve', ...flags, '--log-level', 'silent'], user, prefix);
  assert.match(served.text, /^forebay: [^\n]+\n$/, 'one line');
  assert.match(served.text, wanted);
  assert.equal(served.code, code, served.text);
  const checked = run(['check', ...flags], user, prefix);
  assert.equal(checked.code, code, checked.text);
  const failures = checked.text.match(/^fail .*\n.*$/gm) ?? [];
  assert.equal(failures.length, 1, checked.text);
  assert.match(failures[0]!.replace(/\n +fix: /, '; '), wanted);
}

describe('a data folder that cannot be used', () => {
  let made: string;
  const pristine = () => join(made, 'pristine');

  before(async () => {
    made = mkdtempSync(join(tmpdir(), 'forebay-around-'));
    chmodSync(made, 0o755);
    mkdirSync(pristine());
    const forebay = await startForebay([], { data: pristine() });
    await forebay.stop();
  });
  after(() => rmSync(made, { recursive: true, force: true }));

  function copy(t: TestContext, owner: number): string {
    const folder = mkdtempSync(join(made, 'copy-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    spawnSync('cp', ['-a', `${pristine()}/.`, folder]);
    if (IS_ROOT) spawnSync('chown', ['-R', String(owner), folder]);
    return folder;
  }

  it('frames is a file, or a link that leads nowhere', (t) => {
    const file = copy(t, 0);
    rmSync(join(file, 'frames'), { recursive: true });
    writeFileSync(join(file, 'frames'), 'x');
    bothRefuse(file, /frames is a file, not a folder.*move it away/);
    const link = copy(t, 0);
    renameSync(join(link, 'frames'), join(link, 'elsewhere'));
    symlinkSync('/no/such/folder', join(link, 'frames'));
    bothRefuse(link, /frames'; remove the link/);
  });

  it('its lock is a folder', (t) => {
    const folder = copy(t, 0);
    mkdirSync(join(folder, 'lock.sock'));
    bothRefuse(
      folder,
      /lock\.sock is no lock of a running Forebay, and cannot be removed.*; remove it/,
    );
  });

  it('it is a file, or lies below one', (t) => {
    const file = join(copy(t, 0), 'file');
    writeFileSync(file, 'x');
    bothRefuse(file, /file is a file, not a folder/);
    bothRefuse(join(file, 'data'), /(not a directory|not a folder).*--data/);
  });

  const byRoot = otherUserLack(USER);

  it('frames, a segment or the journal belongs to root after one start with sudo', {
    skip: byRoot,
  }, (t) => {
    const chown = new RegExp(`cannot read and write .*user 0 .*chown -R ${USER} ${made}/copy-\\w+`);
    const frames = copy(t, USER);
    chownSync(join(frames, 'frames'), 0, 0);
    bothRefuse(frames, chown, { user: USER });
    const segment = copy(t, USER);
    for (const name of readdirSync(join(segment, 'frames'))) {
      chownSync(join(segment, 'frames', name), 0, 0);
    }
    bothRefuse(segment, chown, { user: USER });
    for (const name of ['journal.lmdb', 'journal.lmdb-lock']) {
      const journal = copy(t, USER);
      chownSync(join(journal, name), 0, 0);
      bothRefuse(journal, /cannot read and write .*user 0 .*chown -R/, { user: USER });
    }
    bothRefuse(copy(t, 0), chown, { user: USER });
  });

  it('a folder that is not of Forebay gets no advice to change its owner', {
    skip: byRoot,
  }, (t) => {
    const folder = mkdtempSync(join(made, 'system-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const { text } = run(['serve', ...PORTS, '--data', folder], USER);
    assert.match(
      text,
      /cannot read and write .*name a folder with --data that this user can write/,
    );
    assert.doesNotMatch(text, /chown/);
  });
});

describe('a sandbox that forbids unix sockets', () => {
  const probe = spawnSync('python3', [LIMITER, '97', 'true']);
  const skip = probe.status === 0 ? false : 'python3 cannot set a seccomp filter here';

  for (const [code, errno] of Object.entries({ EAFNOSUPPORT: 97, EPERM: 1, EACCES: 13 })) {
    it(`${code}: serve and check say what to allow`, { skip }, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'forebay-sandbox-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const wanted = new RegExp(
        `forbids unix sockets \\(${code}\\).*RestrictAddressFamilies=AF_UNIX`,
      );
      bothRefuse(folder, wanted, { code: 2, prefix: ['python3', LIMITER, String(errno)] });
    });
  }
});

describe('a lock that a stranger holds', () => {
  it('on a port that is free: check does not call it free', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const holder = createServer().listen({ host: '127.0.0.1', port: 0, exclusive: true });
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    await new Promise((resolve) => holder.close(resolve));
    const stranger = createServer().listen({ path: `\0forebay-port-${port}-127.0.0.1` });
    t.after(() => new Promise((resolve) => stranger.close(resolve)));
    await new Promise((resolve) => stranger.once('listening', resolve));
    const data = mkdtempSync(join(tmpdir(), 'forebay-stranger-'));
    t.after(() => rmSync(data, { recursive: true, force: true }));
    const flags = ['--host', '127.0.0.1', '--port', `${port}`, '--admin-port', '0', '--data', data];
    const served = run(['serve', ...flags], null);
    assert.equal(served.code, 1);
    assert.match(served.text, new RegExp(`^forebay: port ${port} is in use`, 'm'));
    const checked = run(['check', ...flags], null);
    assert.match(
      checked.text,
      new RegExp(`^(warn|fail) +port +${port} on 127\\.0\\.0\\.1: in use`, 'm'),
    );
  });
});
