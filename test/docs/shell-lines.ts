/** What a line of a shell example is, so that a test can run it or look at its words. */

export interface ShellLine {
  readonly page: string;
  /** 1 is the first line of the page. */
  readonly line: number;
  /** With continued lines joined, without comments. */
  readonly text: string;
}

/** A command of a line: what stands between `&&`, without assignments in front. */
export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export function shellLines(page: string, firstLine: number, text: string): ShellLine[] {
  const lines: ShellLine[] = [];
  let pending = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const part = raw.trim();
    if (part.endsWith('\\')) {
      pending += `${part.slice(0, -1)} `;
      continue;
    }
    const whole = withoutComment(pending + part);
    pending = '';
    if (whole !== '') lines.push({ page, line: firstLine + index, text: whole });
  }
  return lines;
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s)#\s.*$/, '').trim();
}

/** The commands of a line; a pipe belongs to the command in front of it. */
export function commandsOf(line: string): Command[] {
  return line.split(' && ').map((part) => {
    const words = wordsOf(part.split(/ [|>] /)[0]!);
    const env: Record<string, string> = {};
    while (/^[A-Z_]+=/.test(words[0] ?? '')) {
      const [name, ...value] = words.shift()!.split('=');
      env[name!] = value.join('=');
    }
    return { words, env };
  });
}

/** Splits at spaces, with single and double quotes as a shell reads them. */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b));
}

/** The arguments of `forebay`, however it is called, or null if the command is another one. */
export function forebayArguments(words: readonly string[]): readonly string[] | null {
  const [first, second, third] = words;
  if (first === 'forebay') return words.slice(1);
  if (first === 'npx' && second === 'forebay') return words.slice(2);
  if (first === 'node' && second === 'dist/src/main.js') return words.slice(2);
  if (first === 'npm' && second === 'start')
    return ['serve', ...(third === '--' ? words.slice(3) : [])];
  const isStory = first === 'npm' && second === 'run' && third === 'story';
  return isStory ? ['story', ...words.slice(4)] : null;
}
