import {
  fromBase64,
  fromHex,
  plainKey,
  type SignatureHeaders,
  type SignatureScheme,
  TOLERANCE_S,
} from './scheme.js';

export const CUSTOM_PREFIX = 'hmac:';

/** A header name (RFC 9110, 5.1). */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const ALGORITHMS = ['sha256', 'sha1', 'sha384', 'sha512'] as const;
const ENCODINGS = {
  hex: fromHex,
  base64: fromBase64,
  base64url: (text: string) =>
    /^[A-Za-z0-9_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0),
} as const;
const TOLERANCE_S_MAX = 86_400;
const MEMBERS = [
  'header',
  'algorithm',
  'encoding',
  'prefix',
  'timestamp',
  'tolerance',
  'signed',
] as const;
type Member = (typeof MEMBERS)[number];

/** Part of `signed=`: literal text, or a header whose value stands there. */
type Part = { readonly text: string } | { readonly header: string };

/**
 * The scheme of `hmac:header=X-Signature,prefix=sha256=`: see docs/guides/receiving-webhooks.md.
 *
 * @throws Error says what is wrong
 */
export function customScheme(value: string): SignatureScheme {
  const members = membersOf(value.slice(CUSTOM_PREFIX.length));
  const header = headerIn('header', members.get('header'));
  const algorithm = choiceIn('algorithm', members.get('algorithm') ?? 'sha256', ALGORITHMS);
  const encodings = Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[];
  const decode = ENCODINGS[choiceIn('encoding', members.get('encoding') ?? 'hex', encodings)];
  const prefix = members.get('prefix') ?? '';
  const timestamp = members.has('timestamp') ? headerIn('timestamp', members.get('timestamp')) : '';
  const toleranceS = toleranceIn(members);
  const { before, after } = templateIn(members.get('signed'), timestamp);
  const named = [...before, ...after].flatMap((part) => ('header' in part ? [part.header] : []));
  const headers = [...new Set([header, ...(timestamp === '' ? [] : [timestamp]), ...named])];
  return {
    headerSets: [headers],
    keyOf: plainKey,
    signed: (values, nowS) => {
      if (!values[header]!.startsWith(prefix)) return null;
      if (timestamp !== '' && !isNear(values[timestamp]!, nowS, toleranceS)) return null;
      const signatures = [decode(values[header]!.slice(prefix.length))];
      return {
        algorithm,
        before: filled(before, values),
        after: filled(after, values),
        signatures,
      };
    },
  };
}

function membersOf(text: string): ReadonlyMap<Member, string> {
  const members = new Map<Member, string>();
  for (const each of text.split(',')) {
    const [, name = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(each.trim()) ?? [];
    const member = choiceIn('hmac:', name === '' ? each.trim() : name, MEMBERS);
    if (members.has(member)) throw new Error(`${member} is given twice`);
    if (value === '') throw new Error(`${member} has no value`);
    members.set(member, value);
  }
  if (!members.has('header')) throw new Error('header= is missing: the header with the signature');
  return members;
}

function headerIn(member: Member, value = ''): string {
  if (!HEADER.test(value)) throw new Error(`${member} must be the name of a header`);
  return value.toLowerCase();
}

function choiceIn<T extends string>(what: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  if (what === 'hmac:') throw new Error(`it consists of ${choices.join('=, ')}=`);
  throw new Error(`${what} must be ${choices.join(', ')}`);
}

function toleranceIn(members: ReadonlyMap<Member, string>): number {
  const value = members.get('tolerance');
  if (value === undefined) return TOLERANCE_S;
  if (!members.has('timestamp')) throw new Error('tolerance needs timestamp');
  const isInRange = /^\d{1,5}$/.test(value) && Number(value) >= 1;
  if (!isInRange || Number(value) > TOLERANCE_S_MAX) {
    throw new Error(`tolerance must be a number of seconds from 1 to ${TOLERANCE_S_MAX}`);
  }
  return Number(value);
}

/** `v0:{timestamp}:{body}`: what stands before and after the body. */
function templateIn(
  template: string | undefined,
  timestamp: string,
): { readonly before: readonly Part[]; readonly after: readonly Part[] } {
  const text = template ?? (timestamp === '' ? '{body}' : '{timestamp}.{body}');
  const [before, after, ...more] = text.split('{body}');
  if (after === undefined || more.length > 0) throw new Error('signed must name {body} once');
  const parts = { before: partsOf(before!, timestamp), after: partsOf(after, timestamp) };
  const isTimeSigned = [...parts.before, ...parts.after].some(
    (part) => 'header' in part && part.header === timestamp,
  );
  if (timestamp !== '' && !isTimeSigned) {
    throw new Error(
      'signed must name {timestamp}, because a time that is not signed proves nothing',
    );
  }
  return parts;
}

function partsOf(text: string, timestamp: string): Part[] {
  return text.split(/(\{[^{}]*\})/).flatMap((part): Part[] => {
    if (part === '') return [];
    if (!/^[ -~]+$/.test(part)) throw new Error('signed must be printable ASCII');
    if (!/^\{[^{}]*\}$/.test(part)) {
      if (/[{}]/.test(part)) throw new Error('signed has a brace without the other');
      return [{ text: part }];
    }
    if (part !== '{timestamp}') return [{ header: headerIn('signed', part.slice(1, -1)) }];
    if (timestamp === '') throw new Error('{timestamp} needs timestamp=: the header with the time');
    return [{ header: timestamp }];
  });
}

function filled(parts: readonly Part[], headers: SignatureHeaders): string {
  return parts.map((part) => ('text' in part ? part.text : headers[part.header]!)).join('');
}

/** More than this cannot be seconds: they would be in the year 5138. */
const SECONDS_MAX = 1e11;

/** @param time epoch seconds or milliseconds, or a date as in ISO 8601 */
function isNear(time: string, nowS: number, toleranceS: number): boolean {
  const isNumber = /^\d{1,15}(?:\.\d{1,9})?$/.test(time);
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/.test(time);
  if (!isNumber && !isDate) return false;
  const value = isNumber ? Number(time) : Date.parse(time) / 1000;
  return Math.abs(nowS - (value > SECONDS_MAX ? value / 1000 : value)) <= toleranceS;
}
