/** Longest integer that is written with all its digits. */
const DIGITS_MAX = 60;

/**
 * The exact value of a number of JSON, as the same text for each of its spellings: all digits up to the last that is not zero,
 * and the exponent of that one; plain digits for integers that are not too long. Takes linear time.
 *
 * @param number as in JSON
 */
export function decimalText(number: string): string {
  const [mantissa, exponent = '0'] = number.toLowerCase().split('e') as [string, string?];
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = mantissa.slice(sign.length).split('.') as [string, string?];
  const { digits, dropped } = trimZeros(`${whole}${fraction}`);
  if (digits === '') return '0';
  const shift = dropped - fraction.length;
  const power = Number(exponent) + shift;
  // No two spellings of so large a power need to be recognised as one value.
  if (!Number.isSafeInteger(power)) return `${sign}${digits}e${exponent},${shift}`;
  const isShort = power >= 0 && digits.length + power <= DIGITS_MAX;
  return isShort ? `${sign}${digits}${'0'.repeat(power)}` : `${sign}${digits}e${power}`;
}

/** Whether the number of such a text is an integer. */
export function isIntegerText(decimal: string): boolean {
  return !decimal.includes('e-');
}

/** Without leading and trailing zeros, and the number of trailing zeros dropped. */
function trimZeros(all: string): { digits: string; dropped: number } {
  let start = 0;
  let end = all.length;
  while (start < end && all[start] === '0') start++;
  while (end > start && all[end - 1] === '0') end--;
  return { digits: all.slice(start, end), dropped: all.length - end };
}
