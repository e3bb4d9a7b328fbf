/** Where the journal lies on a NATS server. All follow from the stream's name, so that several
 * installations can share one server. */
export interface JetStreamNames {
  readonly stream: string;
  readonly freshSubject: string;
  readonly retrySubject: string;
  readonly freshConsumer: string;
  readonly retryConsumer: string;
  /** Who has which frame in hand, and which are settled. */
  readonly ledgerStream: string;
  readonly ledgerSubject: string;
  /** Not stored: processes that share the stream say that they live. */
  readonly aliveSubject: string;
  readonly deadStream: string;
  /** One subject an order, so that its dead letter is found without a search. */
  readonly deadSubjects: string;
  readonly deadSubject: (orderId: string) => string;
  /** What was found on the journal's subjects and is no frame. */
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
    foreignStream: `${stream}_FOREIGN`,
    foreignSubject: `${stem}.foreign`,
  };
}
