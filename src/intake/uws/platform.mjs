/**
 * Whether uWebSockets.js works on this machine. The package on npm has binaries for Node 20 and 22; without one, the engine of
 * node:http serves. Newer versions of Node need the author's own release, which is not on npm: see
 * docs/reference/dependencies.md. Plain JavaScript, because npm runs it in a clone before anything is compiled.
 */
const OFFICIAL = 'github:uNetworking/uWebSockets.js#v20.66.0';

/** In a program that depends on forebay, only that program's package.json can choose another uWebSockets.js. */
const REPLACE = import.meta.url.includes('/node_modules/')
  ? `npm pkg set 'overrides[uWebSockets.js]=${OFFICIAL}' && npm install`
  : `npm install 'uWebSockets.js@${OFFICIAL}'`;

/** How to get the binary. */
export const BINARY_FIX = `use Node 20 or 22, or type: ${REPLACE}`;

/**
 * Null if the installed one works, otherwise why not.
 *
 * @returns {Promise<string | null>}
 */
export async function missingServerBinary() {
  try {
    await import('uWebSockets.js');
    return null;
  } catch {
    const where = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    return `the installed uWebSockets.js has no binary for ${where}`;
  }
}

// Only in a clone. With an installed package, the start says the same.
if (process.env.npm_lifecycle_event === 'postprepare') {
  const why = await missingServerBinary();
  if (why !== null) {
    console.log(`forebay: ${why}, so node:http serves; for the faster engine, ${BINARY_FIX}`);
  }
}
