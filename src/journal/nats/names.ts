/**
 * Where the journal is on a NATS server. All names derive from the stream's name, so that several installations can
 * share one server.
 */
export interface JetStreamNames {
  readonly stream: string;
  readonly freshSubject: string;
  readonly retrySubject: string;
  readonly freshConsumer: string;
  readonly retryConsumer: string;
  /** Which process has claimed which frame, and which frames are settled. */
  readonly ledgerStream: string;
  readonly ledgerSubject: string;
  /** Not stored: the heartbeats of the processes that share the stream. */
  readonly aliveSubject: string;
  readonly deadStream: string;
  /** One subject per order, so that its dead letter is found without a search. */
  readonly deadSubjects: string;
  readonly deadSubject: (orderId: string) => string;
  /** What operators have set about the drain, and how the processes share its rate: one message. */
  readonly drainStream: string;
  readonly drainSubject: string;
  /** Messages on the journal's subjects that are not frames. */
  readonly foreignStream: string;
  readonly foreignSubject: string;
}

export function jetStreamNames(stream: string): JetStreamNames {
  const stem = stream.toLowerCase();
  return {
    stream,
    freshSubject: `${stem}.orders`,
    retrySubject: `${stem}.retry`,
    freshConsumer: `${stem}-drain`,
    retryConsumer: `${stem}-retry`,
    ledgerStream: `${stream}_LEDGER`,
    ledgerSubject: `${stem}.ledger`,
    aliveSubject: `${stem}.alive`,
    deadStream: `${stream}_DEAD`,
    deadSubjects: `${stem}.dead.>`,
    deadSubject: (orderId) => `${stem}.dead.${orderId}`,
    drainStream: `${stream}_DRAIN`,
    drainSubject: `${stem}.drain`,
    foreignStream: `${stream}_FOREIGN`,
    foreignSubject: `${stem}.foreign`,
  };
}
