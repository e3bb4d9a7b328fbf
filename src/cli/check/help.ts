/** What `forebay check --help` prints. */
export function checkHelp(): string {
  return `forebay check [serve options] [--json]: says what serve would do with these options, and what is wrong

It serves nobody and changes nothing: no folder, stream, table or lock is made. A server may be running on the
same data folder, ports and NATS. It looks at versions, options and where each comes from, the guarantee in
force, NATS and its streams, the data folder and what waits in it, disk space, the handler, ports, limits,
cores, memory and the clock: a line each, ok, warn or fail, with how to mend it.

The handler's module is loaded in a thread of its own, as serve does; its \`prepare\` is not run. Where it
exports \`check(context)\`, which must only read, that is run: the built-in postgres looks so for its table.

Options
  --json           one JSON object, for programs
  all those of     forebay serve --help; FOREBAY_... variables and --config FILE count too

Examples
  forebay check
  forebay check --nats nats://127.0.0.1:4222 --handler ./shop.mjs
  forebay check --config /etc/forebay.json --json | jq -r '.findings[] | select(.verdict != "ok") | .text'
  forebay check --config new.json && systemctl restart forebay

Exit codes
  0  nothing fails; there may be warnings, such as a port that a running Forebay has
  1  a fault of the surroundings, such as NATS that is away, a full disk, a port that another program has
  2  what was asked for is wrong: an option, the handler, a stream that exists with other settings
`;
}
