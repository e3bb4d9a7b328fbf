/** Beyond it a stack tells no more about where. */
const PLACES_MAX = 10;

/** An error as it stands in the log. */
export interface ToldError {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  /** Places in the code, the innermost first, a line each. */
  readonly stack: string;
}

/** An error for the log. Where its message may hold what a client sent, it is left out: kind and places tell where. */
export function toldError(error: Error, hasMessage: boolean): ToldError {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.constructor.name,
    ...(typeof code === 'string' ? { code } : {}),
    // V8 quotes the text that is no JSON.
    ...(hasMessage && !(error instanceof SyntaxError) ? { message: error.message } : {}),
    stack: placesOf(error).join('\n'),
  };
}

/** What a handler threw, and where, in one line without its message. */
export function throwPlace(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a ${typeof thrown}`;
  return [thrown.constructor.name, ...placesOf(thrown).slice(0, 1)].join(' ');
}

/** A message can have several lines, and they can look like places: so it is cut off first. */
function placesOf({ message, stack = '' }: Error): string[] {
  const start = stack.indexOf(message);
  if (start === -1) return [];
  const rest = stack.slice(start + message.length).split('\n');
  return rest
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, PLACES_MAX);
}
