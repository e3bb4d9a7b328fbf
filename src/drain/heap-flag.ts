/** Flags of V8 for the whole process, with which a thread ignores a heap limit of its own. Node takes _ for - in them. */
const FLAG = /^--max[-_](?:old[-_]space[-_]size(?:[-_]percentage)?|heap[-_]size)(?:=|$)/;

export interface HeapFlag {
  /** As it was given, such as `--max-old-space-size=4096`. */
  readonly flag: string;
  /** `NODE_OPTIONS`, or `the command line of node`. */
  readonly origin: string;
}

/**
 * The flag that overrides `--worker-heap-mb` in every pool thread; null if there is none.
 *
 * @param execArgv flags of node on its command line, as in `process.execArgv`
 * @param nodeOptions the environment variable NODE_OPTIONS
 */
export function heapFlag(
  workerHeapMb: number,
  execArgv: readonly string[],
  nodeOptions: string,
): HeapFlag | null {
  // The command line wins over NODE_OPTIONS, and a later flag over an earlier one.
  const given = [
    ...flagsIn(nodeOptions.split(/\s+/), 'NODE_OPTIONS'),
    ...flagsIn(execArgv, 'the command line of node'),
  ];
  const last = given.at(-1) ?? null;
  return last?.flag.endsWith(`size=${workerHeapMb}`) ? null : last;
}

/** What the flag does, and what to do about it. */
export function heapFlagText(workerHeapMb: number, { flag, origin }: HeapFlag) {
  return {
    text: `--worker-heap-mb ${workerHeapMb} has no effect: ${flag} in ${origin} sets the heap limit of every thread`,
    fix: `remove it from ${origin}, and set --worker-heap-mb to what the handler needs`,
  };
}

function flagsIn(words: readonly string[], origin: string): HeapFlag[] {
  const flags: HeapFlag[] = [];
  for (const [i, word] of words.entries()) {
    if (!FLAG.test(word)) continue;
    const isSplit = !word.includes('=') && words[i + 1] !== undefined;
    const flag = (isSplit ? `${word}=${words[i + 1]}` : word).replaceAll('_', '-');
    flags.push({ flag, origin });
  }
  return flags;
}
