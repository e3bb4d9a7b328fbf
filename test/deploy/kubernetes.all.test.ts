import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { loadOptions } from '../../src/options/load.js';
import { toolPath } from '../support/program.js';
import { writeSchemas } from './kubernetes-schemas.js';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));
const CHART = join(DEPLOY, 'helm/forebay');
const PLAIN = join(DEPLOY, 'kubernetes/forebay.yaml');
/** The first lines of the plain manifests: how they are made. */
const HEADER = `# Made from the chart. Do not edit:
#   helm template forebay deploy/helm/forebay --kube-version 1.34.1 | sed '/^# Source/d'
`;
/** Values that render all there is. */
const EVERYTHING = [
  '--set=serviceMonitor.enabled=true,serviceMonitor.labels.release=prometheus',
  '--set=secrets.FOREBAY_NATS_FILE.secret=nats,secrets.FOREBAY_NATS_FILE.key=url',
  '--set=secrets.FOREBAY_ADMIN_TOKEN_FILE.secret=admin,secrets.FOREBAY_ADMIN_TOKEN_FILE.key=token',
  '--set=options.nats-stream=SHOP,options.drain-rate=60,options.path=/v1/orders',
  '--set=persistence.storageClass=fast,imagePullSecrets[0].name=registry,podAnnotations.a=b',
  '--set=nodeSelector.disk=ssd,extraEnv[0].name=TZ,extraEnv[0].value=UTC,service.annotations.c=d',
  '--set=extraVolumes[0].name=handler,extraVolumes[0].configMap.name=handler',
  '--set=extraVolumeMounts[0].name=handler,extraVolumeMounts[0].mountPath=/handler',
  '--set=tolerations[0].operator=Exists',
];

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

interface Pod {
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [
    {
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
    } & Readonly<
      Record<string, { readonly httpGet: { readonly path: string; readonly port: string } }>
    >,
  ];
}

let helm: string;
let folder: string;
before(async () => {
  helm = await toolPath('helm');
  folder = mkdtempSync(join(tmpdir(), 'forebay-helm-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function render(values: readonly string[] = []): string {
  const args = ['template', 'forebay', CHART, '--kube-version', '1.34.1', ...values];
  return execFileSync(helm, args, { encoding: 'utf8' });
}

function manifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

function only<Kind extends string>(all: readonly Manifest[], kind: Kind): Manifest {
  const found = all.filter((manifest) => manifest.kind === kind);
  assert.equal(found.length, 1, `${found.length} ${kind}`);
  return found[0]!;
}

function podOf(all: readonly Manifest[]): Pod {
  const { template } = only(all, 'StatefulSet').spec as { template: { spec: Pod } };
  return template.spec;
}

/** The options with which a pod starts. */
function optionsIn(all: readonly Manifest[]) {
  const file = join(folder, 'forebay.json');
  writeFileSync(file, only(all, 'ConfigMap').data!['forebay.json']!);
  return loadOptions(['--config', file], {});
}

describe('the Helm chart', () => {
  it('passes helm lint', () => {
    const { status, stdout } = spawnSync(helm, ['lint', '--strict', CHART], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });

  it('has the version of the package', () => {
    const text = readFileSync(join(CHART, 'Chart.yaml'), 'utf8');
    const { version } = JSON.parse(readFileSync(join(DEPLOY, '../package.json'), 'utf8')) as {
      version: string;
    };
    assert.match(text, new RegExp(`^version: ${version}$`, 'm'));
    assert.match(text, new RegExp(`^appVersion: "${version}"$`, 'm'));
  });

  it('renders what the schemas of Kubernetes 1.34 and of the Prometheus operator allow', async (t) => {
    const kubeconform = await toolPath('kubeconform');
    const all = manifests(render(EVERYTHING));
    const kinds = [...new Set(all.map(({ kind }) => kind))].sort();
    assert.deepEqual(kinds, [
      'ConfigMap',
      'PodDisruptionBudget',
      'Service',
      'ServiceMonitor',
      'StatefulSet',
    ]);
    let location: string;
    try {
      const own = kinds.filter((kind) => kind !== 'ServiceMonitor');
      location = writeSchemas(folder, own);
    } catch (error) {
      t.skip(`no schemas: ${(error as Error).message}`);
      return;
    }
    const check = (text: string) =>
      spawnSync(kubeconform, ['-strict', '-summary', '-schema-location', location, '-'], {
        encoding: 'utf8',
        input: text,
      });
    for (const text of [render(EVERYTHING), render(), readFileSync(PLAIN, 'utf8')]) {
      const { status, stdout, stderr } = check(text);
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /Invalid: 0, Errors: 0, Skipped: 0/);
    }
    const misspelt = render().replace('enableServiceLinks', 'enableServiceLink');
    assert.match(check(misspelt).stdout, /enableServiceLink/);
  });

  it('starts Forebay with options that it accepts', () => {
    assert.equal(optionsIn(manifests(render())).adminHost, '0.0.0.0');
    const options = optionsIn(manifests(render(EVERYTHING)));
    assert.deepEqual(
      [options.natsStream, options.drainRate, options.path],
      ['SHOP', 60, '/v1/orders'],
    );
    assert.deepEqual([options.data, options.port, options.adminPort], ['/data', 3000, 3001]);
  });

  it('kills no pod before its ordered shutdown can be over', () => {
    const values = ['--set=preStopS=7,shutdownDelayMs=12500,shutdownMsMax=30001'];
    for (const all of [manifests(render()), manifests(render(values))]) {
      const { terminationGracePeriodSeconds, containers } = podOf(all);
      const { shutdownDelayMs, shutdownMsMax } = optionsIn(all);
      const [program, seconds] = containers[0].lifecycle.preStop.exec.command;
      assert.equal(program, 'sleep');
      const neededS = Number(seconds) + (shutdownDelayMs + shutdownMsMax) / 1000;
      assert.ok(terminationGracePeriodSeconds >= neededS + 3, `${neededS} s are needed`);
      assert.ok(shutdownDelayMs > 0);
    }
  });

  it('asks the admin port whether the pod lives and is ready, and sets no variables of Services', () => {
    const { enableServiceLinks, containers } = podOf(manifests(render()));
    assert.equal(enableServiceLinks, false);
    const [{ ports, startupProbe, livenessProbe, readinessProbe }] = containers;
    const names = ports.map(({ name, containerPort }) => [name, containerPort]);
    assert.deepEqual(names, [
      ['http', 3000],
      ['admin', 3001],
    ]);
    const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe!.httpGet);
    assert.deepEqual(asked, [
      { path: '/healthz', port: 'admin' },
      { path: '/healthz', port: 'admin' },
      { path: '/readyz', port: 'admin' },
    ]);
  });

  it('publishes only the port for orders', () => {
    const [orders] = manifests(render()).filter(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'forebay',
    );
    const { ports } = orders!.spec as { ports: { targetPort: string }[] };
    assert.deepEqual(
      ports.map(({ targetPort }) => targetPort),
      ['http'],
    );
  });

  it('restarts the pods when an option changes', () => {
    const sum = (values: string[]) => /checksum\/config: (\w+)/.exec(render(values))![1];
    assert.notEqual(sum([]), sum(['--set=options.drain-rate=60']));
  });

  it('refuses values that it does not know, and options that it sets itself', () => {
    for (const value of ['replica=3', 'options.data=/other', 'options.port=80', 'secrets.nats=a']) {
      const args = ['template', 'forebay', CHART, '--kube-version', '1.34.1', `--set=${value}`];
      const { status, stderr } = spawnSync(helm, args, { encoding: 'utf8' });
      assert.notEqual(status, 0, value);
      assert.match(stderr, /values don't meet the specifications of the schema/, value);
    }
  });
});

describe('the plain manifests', () => {
  it('are what the chart renders', () => {
    const rendered = HEADER + render().replaceAll(/^# Source: .*\n/gm, '');
    assert.equal(readFileSync(PLAIN, 'utf8'), rendered);
  });
});
