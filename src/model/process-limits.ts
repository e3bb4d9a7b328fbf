/** Resource limits of this process; Infinity is none. */
export interface ResourceLimits {
  readonly openFiles: number;
  readonly addressSpaceBytes: number;
}

/** @param text /proc/self/limits, see proc(5); empty where that is not there: no limits */
export function parseLimits(text: string): ResourceLimits {
  const soft = (name: string) => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { openFiles: soft('Max open files'), addressSpaceBytes: soft('Max address space') };
}
