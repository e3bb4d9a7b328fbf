import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Where the schemas of the API are published: Go modules, which a registry serves. */
const KUBERNETES = 'k8s.io/kubernetes@v1.34.1';
const OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.92.1';
const SERVICE_MONITOR =
  'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly kind: string }[];
}

interface CustomResource {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/**
 * Writes a JSON Schema of each kind into `folder`, for kubeconform.
 *
 * @returns where kubeconform finds the schema of a kind
 * @throws Error without Go, or if a module cannot be had
 */
export function writeSchemas(folder: string, kinds: readonly string[]): string {
  const swagger = readFileSync(join(moduleFolder(KUBERNETES), 'api/openapi-spec/swagger.json'));
  const definitions = strict(JSON.parse(swagger.toString()).definitions) as Record<string, Schema>;
  writeFileSync(join(folder, 'definitions.json'), JSON.stringify({ definitions }));
  for (const kind of kinds) {
    const [name] = Object.keys(definitions).filter((candidate) =>
      isStable(candidate, kind, definitions[candidate]!),
    );
    if (name === undefined) throw new Error(`no definition of ${kind}`);
    write(folder, kind, { $ref: `definitions.json#/definitions/${name}` });
  }
  const resource = parse(
    readFileSync(join(moduleFolder(OPERATOR), SERVICE_MONITOR), 'utf8'),
  ) as CustomResource;
  const [version] = resource.spec.versions.filter(({ name }) => name === 'v1');
  write(folder, 'ServiceMonitor', strict(version!.schema.openAPIV3Schema) as object);
  return join(folder, '{{.ResourceKind}}.json');
}

function write(folder: string, kind: string, schema: object): void {
  writeFileSync(join(folder, `${kind.toLowerCase()}.json`), JSON.stringify(schema));
}

function isStable(name: string, kind: string, schema: Schema): boolean {
  const kinds = schema['x-kubernetes-group-version-kind'] ?? [];
  return /\.v1\.[A-Za-z]+$/.test(name) && kinds.some((of) => of.kind === kind);
}

/** The API server drops fields that it does not know, so a misspelt one has no effect: here it is a fault. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  const schema = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, strict(value)]),
  ) as Schema;
  if (schema.format === 'int-or-string') return { type: ['integer', 'string'] };
  const isOpen = schema.additionalProperties !== undefined;
  const hasFields = typeof schema.properties === 'object' && schema.type === 'object';
  return hasFields && !isOpen ? { ...schema, additionalProperties: false } : schema;
}

function moduleFolder(module: string): string {
  const text = execFileSync('go', ['mod', 'download', '-json', module], {
    encoding: 'utf8',
    cwd: '/',
  });
  return (JSON.parse(text) as { Dir: string }).Dir;
}
