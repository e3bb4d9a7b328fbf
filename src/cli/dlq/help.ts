/** What `forebay dlq --help` prints. */
export function dlqHelp(): string {
  return `forebay dlq: looks after the dead letters, the orders that failed for good. The server may run.

  forebay dlq list    [--reason TEXT] [--limit N] [--json]
  forebay dlq show ID [--json]
  forebay dlq replay  ID... | --all | --reason TEXT   [--dry-run] [--rate N]
  forebay dlq drop    ID... | --all | --reason TEXT   [--dry-run] [--yes]

  replay files orders again, as first attempts, with the ids and bytes they have; an order that
  fails again is a dead letter again. drop deletes them for good.

  --all             every dead letter; drop wants --yes with it
  --reason TEXT     those whose reason contains TEXT
  --dry-run         say what would be done, and do nothing
  --rate N          at most N orders in any second (1 to 1000000)
  --limit N         list the first N
  --json            one JSON object a line
  --data FOLDER     the server's data folder (./data)
  --nats URLS       its NATS servers; with any, the journal is JetStream
  --nats-stream S   its stream there (FOREBAY)
  --config FILE     its options file; FOREBAY_DATA, FOREBAY_NATS and so on count too

Examples
  forebay dlq list --reason 'no such product' --limit 20
  forebay dlq replay --all --rate 100 --nats nats://127.0.0.1:4222
  forebay dlq drop 01K3V6GQ7M8ZQW4T9XB2C00000-7

Exit codes
  0    done
  1    something is left (an order that is invalid now, an unknown id), or no journal is reached
  2    wrong usage
  130  stopped by Ctrl-C, after what it says
`;
}
