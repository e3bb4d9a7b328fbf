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
  return new JetStreamSource(connection(place, 'forebay drain', parts.log), names, parts);
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
