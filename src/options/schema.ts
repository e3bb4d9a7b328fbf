import { HTTP_CHOICES, LOG_FORMATS, LOG_LEVELS, MODES } from '../model/options.js';
import { TLS_VERSIONS } from '../model/tls.js';
import { drainSchema } from './drain-schema.js';
import { senderSchema } from './sender-schema.js';
import type { DerivedDefault, Specs } from './spec.js';

/** The other half of the cores is for the other kind of thread: intake or pool. */
const halfTheCores: DerivedDefault<number> = {
  text: 'half the cores, at least 1',
  from: ({ cores }) => Math.max(1, Math.floor(cores / 2)),
};

const intakeThreads: DerivedDefault<number> = {
  text: 'half the cores, at least 1; 1 where threads cannot share a port',
  from: (inputs) => (inputs.sharesPort ? halfTheCores.from(inputs) : 1),
};

/** With NATS, it must fit into a message with its headers: 1 MiB by default (max_payload). */
const FRAME_BYTES = 262_144;
/** Room beside the longest order. */
const FRAME_ROOM_BYTES = 16_384;

const frameBytes: DerivedDefault<number> = {
  text: `${FRAME_BYTES}, or --body-bytes-max and ${FRAME_ROOM_BYTES} if that is more`,
  from: ({ bodyBytesMax }) => Math.max(FRAME_BYTES, bodyBytesMax + FRAME_ROOM_BYTES),
};

/** As browsers send it: lower case, no path, no default port. */
const ORIGIN =
  '^(?!http://.*:80$)(?!https://.*:443$)(?:\\*|[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\\[[0-9a-f:.]+\\])(?::\\d{1,5})?)$';

/**
 * Segments as RFC 3986 (3.3) allows them in a URL, so that every client can send them as they are. Without `:` and `*`, which
 * stand for others in the routes, and without dot segments, which clients take out. uWebSockets.js looks at 100 segments at most.
 */
const PATH =
  "^(?=.{2,128}$)(?:/(?!(?:\\.|%2[Ee]){1,2}(?:/|$))(?:[\\w.~!$&'()+,;=@-]|%[0-9A-Fa-f]{2})+)+$";

/** The process: addresses, threads, log. */
const serverSchema = {
  mode: {
    type: 'choice',
    choices: MODES,
    default: 'queue',
    group: 'Server',
    help: 'queue: answer when the order is durable, process it later; direct: process the order, then answer',
  },
  host: {
    type: 'text',
    unit: 'address',
    pattern: '^[^\\s/]+$',
    patternText: 'a host name or an IP address',
    default: '0.0.0.0',
    group: 'Server',
    help: 'address to listen on for orders',
  },
  port: {
    type: 'integer',
    unit: 'port',
    min: 0,
    max: 65_535,
    default: 3000,
    group: 'Server',
    help: 'port to listen on for orders; 0 picks a free port',
  },
  listen: {
    type: 'text',
    unit: 'address',
    pattern: '^(?:unix:/.+)?$',
    patternText: 'unix:/ and the path of a socket; for TCP use --host and --port',
    default: '',
    group: 'Server',
    help: 'unix:/path: listen on this unix socket for orders, and not on --host and --port',
  },
  path: {
    type: 'text',
    unit: 'path',
    pattern: PATH,
    patternText:
      'a path such as /orders or /v1/events: at most 128 characters, no / at the end, no query, no placeholder, no segment . or ..',
    default: '/orders',
    group: 'Server',
    help: 'path to which clients post orders, and batches to its /batch; the status of an order is at this path, / and its id',
  },
  tlsCert: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a PEM file',
    default: '',
    group: 'Server',
    help: 'TLS for orders: certificate of the server, followed by its chain; a renewed file is taken up within seconds',
  },
  tlsKey: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a PEM file',
    default: '',
    group: 'Server',
    help: 'TLS for orders: private key of --tls-cert, not encrypted',
  },
  tlsCa: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a PEM file',
    default: '',
    group: 'Server',
    help: 'TLS for orders: clients must show a certificate that one of these has signed; needs --http node',
  },
  tlsMin: {
    type: 'choice',
    choices: TLS_VERSIONS,
    default: '1.2',
    group: 'Server',
    help: 'TLS for orders: oldest version that is accepted',
  },
  adminHost: {
    type: 'text',
    unit: 'address',
    pattern: '^[^\\s/]+$',
    patternText: 'a host name or an IP address',
    default: '127.0.0.1',
    group: 'Server',
    help: 'address of the admin server: live page, /metrics, /healthz and /readyz',
  },
  adminPort: {
    type: 'integer',
    unit: 'port',
    min: 0,
    max: 65_535,
    default: 3001,
    group: 'Server',
    help: 'port of the admin server; 0 picks a free port',
  },
  adminHosts: {
    type: 'list',
    unit: 'names',
    pattern: '^(?:\\*|(?:\\*\\.)?[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*\\.?)$',
    patternText:
      'host names such as forebay.example.com, where an asterisk in place of the first label, or alone, stands for every name',
    default: [],
    group: 'Server',
    help: 'names by which clients may address the admin server, besides IP addresses and private names',
  },
  adminTokenFile: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a file with one token in each line',
    default: '',
    group: 'Server',
    help: 'the admin server asks for one of these tokens, except for /healthz and /readyz; one in each line, a changed file is taken up within seconds',
  },
  http: {
    type: 'choice',
    choices: HTTP_CHOICES,
    default: 'auto',
    group: 'Server',
    help: 'HTTP engine for orders: uws (uWebSockets.js, fastest), node (node:http, on every platform); auto: uws if it has a binary for this Node, else node',
  },
  threads: {
    type: 'integer',
    unit: 'threads',
    min: 0,
    max: 64,
    default: intakeThreads,
    group: 'Server',
    help: 'intake threads, which share the port (Linux only; --http node: Node 23.1 or later); 0 runs the intake in the main thread',
  },
  workers: {
    type: 'integer',
    unit: 'threads',
    min: 1,
    max: 256,
    default: halfTheCores,
    group: 'Server',
    help: 'pool threads that run the handler',
  },
  logLevel: {
    type: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    group: 'Server',
    help: 'least severe level that is logged',
  },
  logFormat: {
    type: 'choice',
    choices: LOG_FORMATS,
    default: 'auto',
    group: 'Server',
    help: 'json: one JSON object per line; pretty: for reading; auto: pretty if stderr is a terminal, else json',
  },
  shutdownMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    group: 'Server',
    help: 'time limit of an ordered shutdown, after --shutdown-delay-ms; then the process is killed',
  },
  shutdownDelayMs: {
    type: 'integer',
    unit: 'ms',
    min: 0,
    max: 600_000,
    default: 0,
    group: 'Server',
    help: 'how long orders are still taken after a stop signal, while /readyz is 503 and answers end connections, for load balancers',
  },
} as const satisfies Partial<Specs>;

/** From the request to the durable frame: limits of the intake and of group commit. */
const intakeSchema = {
  schema: {
    type: 'text',
    unit: 'file',
    pattern: '^[^\\0]*$',
    patternText: 'a file with a JSON Schema, or true',
    default: '',
    group: 'Intake',
    help: 'JSON Schema (2020-12 or draft-07) that a body must be valid against; true takes any JSON object; none is the built-in order',
  },
  bodyDepthMax: {
    type: 'integer',
    unit: 'levels',
    min: 1,
    max: 1000,
    default: 64,
    group: 'Intake',
    help: 'most objects and arrays inside each other in a body; a deeper one is answered 400',
  },
  allowSlowPatterns: {
    type: 'switch',
    default: false,
    group: 'Intake',
    help: 'accept a schema whose patterns can hang on a text of a client; without it such a schema is refused',
  },
  rpsLimit: {
    type: 'integer',
    unit: 'orders/s',
    min: 0,
    max: 1_000_000,
    default: {
      text: '50 in direct mode, 0 in queue mode',
      from: ({ mode }) => (mode === 'direct' ? 50 : 0),
    },
    group: 'Intake',
    help: 'most orders admitted in any second, all intake threads together; 0 is no limit',
  },
  bodyBytesMax: {
    type: 'integer',
    unit: 'bytes',
    min: 64,
    max: 1_048_576,
    default: 4096,
    group: 'Intake',
    help: 'longest request body, before and after it is inflated; a longer one is answered 413',
  },
  bodyMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 100,
    max: 600_000,
    default: 10_000,
    group: 'Intake',
    help: 'time limit for a request body to arrive',
  },
  allowNoContentType: {
    type: 'switch',
    default: false,
    group: 'Intake',
    help: 'on: a POST without Content-Type is taken as JSON; off: it is answered 415',
  },
  corsOrigin: {
    type: 'list',
    unit: 'origins',
    pattern: ORIGIN,
    patternText: 'an origin such as https://shop.example, without a path, or *',
    default: [],
    group: 'Intake',
    help: 'origins whose web pages may send orders and read the answers, separated by commas; * is every origin',
  },
  keepAliveMs: {
    type: 'integer',
    unit: 'ms',
    min: 0,
    max: 3_600_000,
    default: 0,
    group: 'Intake',
    help: 'how long at least an idle connection is kept; 0: 75000 with --http node, 7000 with --http uws, which cannot keep it longer',
  },
  connectionsMax: {
    type: 'integer',
    unit: 'connections',
    min: 0,
    max: 1_000_000,
    default: 0,
    group: 'Intake',
    help: 'most open connections of clients, all intake threads together; more are answered 503 and closed; 0: the limit of open files less a reserve, at most 100000',
  },
  connectionsPerAddressMax: {
    type: 'integer',
    unit: 'connections',
    min: 0,
    max: 1_000_000,
    default: 0,
    group: 'Intake',
    help: 'the same for each address of a client (Linux only); 0 is no limit. All clients of a proxy have its address',
  },
  waitingOrdersMax: {
    type: 'integer',
    unit: 'orders',
    min: 1,
    max: 1_000_000,
    default: 100_000,
    group: 'Intake',
    help: 'orders that may wait for their answer, per intake thread; more are answered 503',
  },
  idempotencyS: {
    type: 'integer',
    unit: 's',
    min: 1,
    max: 86_400,
    default: 600,
    group: 'Intake',
    help: 'how long an Idempotency-Key is remembered',
  },
  idempotencyKeysMax: {
    type: 'integer',
    unit: 'keys',
    min: 1000,
    max: 100_000_000,
    default: 2_000_000,
    group: 'Intake',
    help: 'idempotency keys remembered at once, 64 bytes of memory each; more are answered 503',
  },
  commitMsMax: {
    type: 'integer',
    unit: 'ms',
    min: 50,
    max: 60_000,
    default: 1000,
    group: 'Commit',
    help: 'time limit for a frame to become durable, spooling included',
  },
  frameOrdersMax: {
    type: 'integer',
    unit: 'orders',
    min: 1,
    max: 10_000,
    default: 1000,
    group: 'Commit',
    help: 'most orders in one frame, and in a batch of a client',
  },
  frameBytesMax: {
    type: 'integer',
    unit: 'bytes',
    min: 65,
    // A record of the frame log must fit into a segment of 4 MiB.
    max: 4_000_000,
    default: frameBytes,
    group: 'Commit',
    help: 'largest frame; must be more than --body-bytes-max',
  },
  framesInFlightMax: {
    type: 'integer',
    unit: 'frames',
    min: 1,
    max: 256,
    default: 8,
    group: 'Commit',
    help: 'frames that may wait for their acknowledgement, per intake thread',
  },
} as const satisfies Partial<Specs>;

/**
 * Every option, in the order in which help and docs list them. Flags, environment variables, checks, help and
 * docs/reference/options.md are derived from this table.
 */
export const schema: Specs = { ...serverSchema, ...intakeSchema, ...senderSchema, ...drainSchema };
