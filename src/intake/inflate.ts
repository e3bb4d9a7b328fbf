import { gunzipSync } from 'node:zlib';

/** The body does not end within the bound. */
export const TOO_LARGE = 'too-large';
/** The body is not gzip: the value of `x-invalid`. */
export const NOT_GZIP = '/ gzip';

/**
 * Inflates a body in the gzip format (RFC 1952). Stops as soon as it has more than `bytesMax`, so what a small body could
 * inflate to costs neither memory nor time. It may have several members, which follow one another without a gap.
 *
 * @returns the bytes as a plain array, which the validator expects; or why there are none
 */
export function inflate(
  body: Uint8Array,
  bytesMax: number,
): Uint8Array | typeof TOO_LARGE | typeof NOT_GZIP {
  try {
    const { buffer, engine } = gunzipSync(body, {
      maxOutputLength: bytesMax,
      info: true,
    }) as unknown as Inflated;
    // Zeros behind the last member are left over: zlib takes them for padding.
    if (engine.bytesWritten < body.length) return NOT_GZIP;
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LARGE : NOT_GZIP;
  }
}

/** What `gunzipSync` returns with `info`; its types do not know. */
interface Inflated {
  readonly buffer: Buffer;
  /** How many bytes of the body were read. */
  readonly engine: { readonly bytesWritten: number };
}
