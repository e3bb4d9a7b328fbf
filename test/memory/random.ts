/** Whole numbers from 0 to below `n`, the same for the same seed: Marsaglia's xorshift of 32 bits. */
export function randomFrom(seed: number): (n: number) => number {
  let state = seed | 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}
