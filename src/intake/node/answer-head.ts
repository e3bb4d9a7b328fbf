const { latin1Slice } = Buffer.prototype as Buffer & {
  latin1Slice(start: number, end: number): string;
};

/** The status code and the space behind it. */
const REASON_AT = 4;
/** Different heads without their last line. There are as many as there are kinds of answers. */
const KNOWN_MAX = 256;

/** Status and header lines of an answer, as `writeHead` of node:http takes them. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** Name and value in turn. */
  readonly headers: string[];
  /** Whether it says `Connection: close`. */
  readonly isLast: boolean;
}

const known = new Map<string, AnswerHead>();

/** A character for each byte. */
export function latin1(bytes: string | Uint8Array): string {
  return typeof bytes === 'string' ? bytes : latin1Slice.call(bytes, 0, bytes.byteLength);
}

/** Reads `200 OK\r\nname: value`. The last line differs with every order, so all before it is read only once. */
export function answerHead(bytes: string | Uint8Array): AnswerHead {
  const text = latin1(bytes);
  const lastAt = text.lastIndexOf('\r\n');
  if (lastAt < 0) return read(text);
  const before = text.slice(0, lastAt);
  let head = known.get(before);
  if (head === undefined) {
    head = read(before);
    if (known.size < KNOWN_MAX) known.set(before, head);
  }
  const colon = text.indexOf(': ', lastAt);
  const last = [text.slice(lastAt + 2, colon), text.slice(colon + 2)];
  const headers = head.headers.concat(last);
  return {
    status: head.status,
    reason: head.reason,
    headers,
    isLast: head.isLast || isClose(last),
  };
}

function read(text: string): AnswerHead {
  const [line, ...lines] = text.split('\r\n');
  const headers = lines.flatMap((header) => {
    const colon = header.indexOf(': ');
    return [header.slice(0, colon), header.slice(colon + 2)];
  });
  const status = Number(line!.slice(0, REASON_AT));
  return { status, reason: line!.slice(REASON_AT), headers, isLast: isClose(headers) };
}

/** Of the last two elements, because the line is the last one that does not depend on the order. */
function isClose(headers: readonly string[]): boolean {
  return headers.at(-2) === 'Connection';
}
