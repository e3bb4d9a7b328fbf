/**
 * How long a test waits for anything before it fails; milliseconds. It only ends a test that hangs: no test may depend on how
 * fast something is, because the machine may be busy.
 */
export const HANG_MS_MAX = 120_000;

/** Settles as `promise` does. @throws Error with `what`, when that takes longer than two minutes */
export async function withDeadline<T>(
  promise: Promise<T>,
  what: string | (() => string),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const text = typeof what === 'string' ? what : what();
      reject(new Error(`not within ${HANG_MS_MAX} ms: ${text}`));
    }, HANG_MS_MAX);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
