/** The samples of a text exposition, by series. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const blank = line.lastIndexOf(' ');
    samples.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return samples;
}
