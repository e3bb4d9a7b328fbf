import { JetStreamAppender, type JetStreamAppenderBounds } from './jetstream-appender.js';
import { JetStreamConnection } from './jetstream-connection.js';
import { declareJournal } from './jetstream-declare.js';
import { jetStreamNames } from './jetstream-names.js';
import { JetStreamSource, type JetStreamSourceParts } from './jetstream-source.js';

export interface JetStreamPlace {
  /** NATS URLs of one server or cluster. */
  readonly servers: readonly string[];
  /** Name of the stream; subjects and consumers are named after it. */
  readonly stream: string;
}

/** Both come up in the background: neither waits for the server, see `ready`. */
export function openJetStreamAppender(
  place: JetStreamPlace,
  bounds: JetStreamAppenderBounds,
  log: (line: string) => void,
): JetStreamAppender {
  const names = jetStreamNames(place.stream);
  return new JetStreamAppender(connection(place, 'forebay intake', log), names, bounds);
}

export function openJetStreamSource(
  place: JetStreamPlace,
  parts: JetStreamSourceParts,
): JetStreamSource {
  const names = jetStreamNames(place.stream);
  const opened = connection(place, 'forebay drain', parts.log);
  opened.ready.then(
    () => opened.up && parts.log(guarantee(opened.nc.info?.version ?? '', opened.nc.getServer())),
    () => {},
  );
  return new JetStreamSource(opened, names, parts);
}

/** What an ack of this server is worth. Its `sync_interval` cannot be asked for by a client. */
function guarantee(version: string, server: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const canSyncAlways = major > 2 || (major === 2 && minor >= 10);
  const flush = canSyncAlways
    ? 'unless the server is configured with sync_interval: always'
    : 'and this version cannot do better (2.10 and later can: sync_interval: always)';
  return `NATS ${version} at ${server}: an accepted order is written to its operating system, and fsynced within 2 minutes, ${flush}`;
}

function connection(
  { servers, stream }: JetStreamPlace,
  clientName: string,
  log: (line: string) => void,
): JetStreamConnection {
  const names = jetStreamNames(stream);
  return new JetStreamConnection({
    servers,
    clientName,
    prepare: (nc) => declareJournal(nc, names),
    log,
  });
}
