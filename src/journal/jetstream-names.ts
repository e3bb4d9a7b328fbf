/** Where the journal lies on a NATS server. All follow from the stream's name, so that several
 * installations can share one server. */
export interface JetStreamNames {
  readonly stream: string;
  readonly freshSubject: string;
  readonly retrySubject: string;
  readonly freshConsumer: string;
  readonly retryConsumer: string;
  readonly deadStream: string;
  readonly deadSubject: string;
}

export function jetStreamNames(stream: string): JetStreamNames {
  const stem = stream.toLowerCase();
  return {
    stream,
    freshSubject: `${stem}.orders`,
    retrySubject: `${stem}.retry`,
    freshConsumer: `${stem}-drain`,
    retryConsumer: `${stem}-retry`,
    deadStream: `${stream}_DEAD`,
    deadSubject: `${stem}.dead`,
  };
}
